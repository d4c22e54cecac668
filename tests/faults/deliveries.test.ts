import { expect, test } from "bun:test";
import { until } from "../e2e/until.ts";
import type { World } from "../e2e/world.ts";
import { headersFor, openReceiver, readSamples, type Sample } from "./receiver.ts";
import { shuffled } from "./shuffled.ts";
import { storedDeliveries } from "./stored.ts";

const distinct = 1_000;
const kills = 5;
const senders = 24;
const seed = 20_260_711;

interface Delivery {
  uuid: string;
  eventType: string;
  body: string;
}

/** One of each of a few kinds in turn, about another issue, comment or commit each time. */
function makeDeliveries(samples: readonly Sample[]): Delivery[] {
  const kinds = ["forgejo.issues.opened", "forgejo.issue_comment.created", "forgejo.push.branch", "forgejo.create.tag"];
  const templates = kinds.map((kind) => samples.find(({ name }) => name === kind)!);
  return Array.from({ length: distinct }, (_, index) => {
    const { headers, body } = templates[index % templates.length]!;
    return {
      uuid: Bun.randomUUIDv7(),
      eventType: headers["X-Forgejo-Event-Type"]!,
      body: JSON.stringify(renumbered(JSON.parse(new TextDecoder().decode(body)), index)),
    };
  });
}

interface Numbered {
  issue?: { id: number; number: number };
  comment?: { id: number };
  after?: string;
}

function renumbered(payload: Numbered, index: number): object {
  const number = 1_000 + index;
  const sha = number.toString(16).padStart(40, "a");
  return {
    ...payload,
    ...(payload.issue === undefined ? {} : { issue: { ...payload.issue, id: number, number } }),
    ...(payload.comment === undefined ? {} : { comment: { ...payload.comment, id: number } }),
    ...(payload.after === undefined ? {} : { after: sha }),
  };
}

interface Sent {
  total: number;
  /** The answers to each delivery's copies, by its UUID. */
  acknowledged: Map<string, { id: string; duplicate: boolean }[]>;
  /** Copies whose connection broke: they may be stored or not. */
  lost: number;
  /** Statuses other than 202. */
  refused: number[];
}

/** Sends everything, each copy once as a forge does, while the service is killed and started again. */
async function sendAll(world: World, deliveries: readonly Delivery[]): Promise<Sent> {
  const queue = [...deliveries];
  const sent: Sent = { total: deliveries.length, acknowledged: new Map(), lost: 0, refused: [] };
  let done = 0;
  let up = Promise.resolve(await world.start());
  async function keepSending(): Promise<void> {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      await up;
      const copy = next;
      await send(world, copy, sent).catch(() => {
        sent.lost += 1;
      });
      done += 1;
    }
  }
  async function keepKilling(): Promise<void> {
    for (let kill = 1; kill <= kills; kill += 1) {
      const due = (sent.total * kill) / (kills + 1);
      await until(`${due} deliveries sent`, async () => (done >= due ? true : null));
      const service = await up;
      up = service.kill().then(() => world.start());
      await up;
    }
  }
  await Promise.all([keepKilling(), ...Array.from({ length: senders }, keepSending)]);
  await until("every stored delivery to be worked off", async () =>
    storedDeliveries(world.stateDir).every(({ state }) => state !== "received") ? true : null,
  );
  expect(await (await up).stop()).toBe(0);
  return sent;
}

async function send(world: World, { uuid, eventType, body }: Delivery, sent: Sent): Promise<void> {
  const headers = headersFor(body, { uuid, eventType });
  const response = await fetch(world.hookUrl, { method: "POST", headers, body });
  const { delivery, duplicate } = (await response.json()) as { delivery: string; duplicate: boolean };
  if (response.status !== 202) return void sent.refused.push(response.status);
  sent.acknowledged.set(uuid, [...(sent.acknowledged.get(uuid) ?? []), { id: delivery, duplicate }]);
}

test("1,000 deliveries, a third doubled, in any order, through five kills: each acknowledged one is there once", async () => {
  await using world = await openReceiver();
  const deliveries = makeDeliveries(await readSamples());
  const doubled = deliveries.slice(0, Math.ceil(distinct / 3));
  const sent = await sendAll(world, shuffled([...deliveries, ...doubled], seed));
  const rows = storedDeliveries(world.stateDir);
  const idOf = new Map(rows.map(({ uuid, id }) => [uuid, id]));

  expect(sent.refused).toEqual([]);
  expect(sent.lost).toBeGreaterThan(0);
  expect(sent.lost).toBeLessThan(sent.total / 3);
  expect(rows.length).toBe(idOf.size);
  const strayed = [...sent.acknowledged].filter(([uuid, copies]) => copies.some(({ id }) => id !== idOf.get(uuid)));
  expect(strayed).toEqual([]);
  const twice = [...sent.acknowledged.values()].filter((copies) => copies.length === 2);
  expect(twice.length).toBeGreaterThan(100);
  expect(twice.filter((copies) => copies.filter(({ duplicate }) => !duplicate).length !== 1)).toEqual([]);
  const bodies = new Map(deliveries.map(({ uuid, body }) => [uuid, body]));
  expect(rows.filter(({ uuid, body }) => bodies.get(uuid) !== new TextDecoder().decode(body))).toEqual([]);
  expect(rows.filter(({ state }) => state === "failed")).toEqual([]);
  expect(world.model.requests()).toEqual([]);
}, 110_000);
