import { type ExplainedEvent, Explanation } from "@claude-hooks/api";
import type { Delivery, Forge } from "@claude-hooks/forge-sim";
import { type Client, ClientError } from "../client.ts";
import { DemoFailure } from "./failure.ts";
import type { Stage } from "./stage.ts";

/** The part of the stage that it looks at. */
export type EventStage = Pick<Stage, "story" | "watch"> & {
  world: { forge: Pick<Forge, "deliveries"> };
  api: Pick<Client, "get">;
};

/** Tells of the webhooks that the forge sends from `deliveries[from]` on, and which flow takes up what they say. */
export async function tellEvent(stage: EventStage, from: number): Promise<void> {
  const { world, story, watch } = stage;
  const sent = await watch.until("the forge to send a webhook", () => {
    const made = world.forge.deliveries().slice(from);
    return made.length > 0 ? made : undefined;
  });
  for (const delivery of sent) {
    await watch.until("the service to answer a webhook", () => (delivery.state === "queued" ? undefined : true));
    story.step("webhook", webhookText(delivery));
    if (delivery.state !== "delivered")
      throw new DemoFailure(`the service did not accept a webhook: ${fate(delivery)}`);
  }
  const event = await watch.until("a flow to decide on the event", () => decided(stage, sent));
  for (const { flow, matched, why } of event.decisions.toSorted((a, b) => Number(b.matched) - Number(a.matched)))
    story.step("flow", `${matched ? "✓" : "✗"} ${flow}: ${why}`, { quiet: !matched });
}

const webhookText = (delivery: Readonly<Delivery>): string =>
  `${delivery.eventType}${delivery.action === undefined ? "" : ` (${delivery.action})`}, signed → ${fate(delivery)}`;

const fate = ({ status, error, state }: Readonly<Delivery>): string =>
  status === 202 ? "202, stored" : (error ?? (status === undefined ? state : `answered ${status}`));

/** The event that a flow took up; undefined while some are still to be decided. */
async function decided(stage: EventStage, sent: readonly Readonly<Delivery>[]): Promise<ExplainedEvent | undefined> {
  const found = await Promise.all(sent.map(({ uuid }) => explained(stage, uuid)));
  const events = found.flatMap((one) => one?.events ?? []);
  const taken = events.find(({ decisions }) => decisions.some(({ matched }) => matched));
  if (taken !== undefined) return taken;
  const done = found.every((one) => one?.deliveries.every(({ state }) => state !== "received") === true);
  if (!done || events.some((event) => !event.decided)) return undefined;
  throw new DemoFailure(["no flow took it up:", ...events.flatMap(refusals), ...found.flatMap(ignored)].join("\n"));
}

const refusals = ({ kind, decisions }: ExplainedEvent): string[] =>
  decisions.map(({ flow, why }) => `  ${kind}: ${flow}: ${why}`);

const ignored = (found: Explanation | undefined): string[] =>
  (found?.deliveries ?? []).flatMap(({ event, state, reason }) =>
    reason === null ? [] : [`  ${event}: ${state}: ${reason}`],
  );

async function explained({ api }: EventStage, uuid: string): Promise<Explanation | undefined> {
  try {
    return await api.get(`/explain?subject=${encodeURIComponent(uuid)}`, Explanation);
  } catch (error) {
    if (error instanceof ClientError) return undefined;
    throw error;
  }
}
