import { expect, test } from "bun:test";
import { idAfter, newId } from "./ids.ts";

test("ids are UUIDv7, and each sorts after the one before, within a millisecond too", () => {
  const ids = Array.from({ length: 20_000 }, () => newId.run());
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? ""))).toBe(true);
});

test("an id of a clock that was set back still sorts after the last one", () => {
  let last = Bun.randomUUIDv7("hex", Date.UTC(2100, 0, 1));
  for (let index = 0; index < 100; index++) {
    const next: string = idAfter(last, Bun.randomUUIDv7());
    expect(next > last).toBe(true);
    last = next;
  }
});

test("an id that is later by itself is left alone", () => {
  const later = Bun.randomUUIDv7();
  expect(idAfter("00000000-0000-7000-8000-000000000000", later)).toBe(later);
});
