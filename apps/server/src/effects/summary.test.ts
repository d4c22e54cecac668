import { expect, test } from "bun:test";
import { refreshed } from "./look-up.ts";
import { at, opening, pullMarker, pulls, startWorld, writes } from "./testing/world.ts";

const withSummary = (summary: string) => ({
  ...opening,
  body: `${pullMarker}\n\nCloses #1\n\n<!-- claude-hooks:summary -->\n\n${summary}\n\n<!-- /claude-hooks:summary -->`,
});

test("a pull request gets the newest summary, and keeps what people wrote around it", async () => {
  await using world = await startWorld();
  const worker = world.worker();
  await worker.start();
  const first = await world.enqueue({ body: withSummary("first") });
  worker.wake();
  await world.book.moved(first.id, "done");
  const [pull] = pulls(world);
  await world.sim.as("owner").request("PATCH", `/repos/${at.owner}/${at.repo}/pulls/${pull?.number}`, {
    body: `Please look soon.\n\n${pull?.body}`,
  });
  const second = await world.enqueue({ body: withSummary("second, with $& in it") });
  worker.wake();
  await world.book.moved(second.id, "done");
  const [after, ...others] = pulls(world);
  expect(others).toEqual([]);
  expect(after?.body).toBe(`Please look soon.\n\n${withSummary("second, with $& in it").body}`);
});

test("the same summary again writes nothing", async () => {
  await using world = await startWorld();
  const worker = world.worker();
  await worker.start();
  for (let time = 0; time < 2; time++) {
    const effect = await world.enqueue({ body: withSummary("same") });
    worker.wake();
    await world.book.moved(effect.id, "done");
  }
  expect(writes(world)).toHaveLength(1);
});

test("a summary that people took out stays out", () => {
  expect(refreshed(`${pullMarker}\n\nMy own words.`, withSummary("new").body)).toBe(`${pullMarker}\n\nMy own words.`);
});
