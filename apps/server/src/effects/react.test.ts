import { expect, test } from "bun:test";
import { at, startWorld } from "./testing/world.ts";

interface Shown {
  content: string;
  user: { login: string };
}

const reaction = (commentId: number) =>
  ({ kind: "react", commentId, content: "eyes", url: "http://forge/comment" }) as const;

test("a reaction is there once, by the effect's author, whatever becomes of the answer", async () => {
  await using world = await startWorld();
  const owner = world.sim.as("owner");
  const { id } = await owner.comment({ ...at, number: 1, body: "Please look." });
  world.sim.faults.dropReply({ method: "POST", path: `comments/${id}/reactions` });
  const effect = await world.enqueue({ body: reaction(id) });
  await world.worker().start();
  await world.pass(60_000);
  while ((await world.stateOf(effect.id)).state !== "done") await world.pass(60_000);
  expect(await world.stateOf(effect.id)).toMatchObject({ result: { kind: "reaction", url: "http://forge/comment" } });
  const shown = await owner.request<Shown[]>("GET", `/repos/owner/widgets/issues/comments/${id}/reactions`);
  expect(shown.map(({ content, user }) => [content, user.login])).toEqual([["eyes", "dev-bot"]]);
});

test("a reaction to a comment that is gone is dropped, and asks nobody to look", async () => {
  await using world = await startWorld();
  const effect = await world.enqueue({ body: reaction(404_404) });
  await world.worker().start();
  while ((await world.stateOf(effect.id)).state === "pending") await Bun.sleep(0);
  while ((await world.stateOf(effect.id)).state === "sending") await Bun.sleep(0);
  expect(await world.stateOf(effect.id)).toMatchObject({
    state: "superseded",
    error: "the comment was deleted in the meantime",
  });
});
