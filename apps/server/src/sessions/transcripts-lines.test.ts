import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type StoredEntry, seqStep } from "../domain/transcript.ts";
import { isConversation, keyOf, missingEntries, parseLine, type TranscriptLine } from "./transcripts-lines.ts";

const said = (uuid: string): TranscriptLine => ({ type: "user", uuid, message: { role: "user", content: uuid } });
const mark = (n: number): TranscriptLine => ({ type: "mode", n });
const json = (line: TranscriptLine) => JSON.stringify(line);
const store = (lines: readonly TranscriptLine[]): StoredEntry[] =>
  lines.map((line, index) => ({ key: keyOf(line, `w/${index}`), seq: (index + 1) * seqStep, json: json(line) }));
const newKeys = () => {
  let count = 0;
  return () => `local/${(count += 1)}`;
};

describe("a line", () => {
  test.each([null, "", "{", "[]", "7", "null", '"text"', '{"uuid":"a"}', '{"type":7}'])("is not %p", (text) => {
    expect(parseLine(text)).toBeNull();
  });

  test("of a conversation is something said that has an id", () => {
    expect(isConversation(said("a"))).toBe(true);
    expect(isConversation({ ...said("a"), type: "assistant" })).toBe(true);
    expect(isConversation({ ...said("a"), type: "summary" })).toBe(false);
    expect(isConversation({ type: "user", uuid: "a" })).toBe(false);
    expect(isConversation({ type: "user", message: {} })).toBe(false);
    expect(isConversation(null)).toBe(false);
  });

  test("has its own id, unless that could be taken for one of ours or is none", () => {
    expect(keyOf(said("a"), "x")).toBe("a");
    for (const uuid of ["", "#x", "u".repeat(65)]) expect(keyOf(said(uuid), "x")).toBe("#x");
    expect(keyOf(mark(1), "x")).toBe("#x");
  });
});

describe("what a local transcript has and the stored one lacks", () => {
  test("is put between its neighbours, and what is stored stands", () => {
    const stored = store([said("a"), said("d"), said("e")]);
    const forged = { ...said("a"), message: { role: "user", content: "forged" } };
    const local = [said("0"), forged, said("b"), said("c"), said("d"), said("f")];
    const missing = missingEntries(stored, local, newKeys());
    expect(missing.map(({ key }) => key)).toEqual(["0", "b", "c", "f"]);
    const [first, b, c, last] = missing.map(({ seq }) => seq / seqStep);
    expect(first).toBeLessThan(1);
    expect([1, b!, c!, 2].toSorted((left, right) => left - right)).toEqual([1, b!, c!, 2]);
    expect(last).toBeGreaterThan(2);
  });

  test("is nothing where a line without an id is there in the same words as often", () => {
    const lines = [mark(1), said("a"), mark(1), mark(2)];
    expect(missingEntries(store(lines), lines, newKeys())).toEqual([]);
    expect(missingEntries(store(lines), [...lines, mark(1)], newKeys())).toHaveLength(1);
  });

  test("comes once, though the local one has it twice", () => {
    expect(missingEntries([], [said("a"), said("a")], newKeys())).toHaveLength(1);
  });

  test("makes the stored one the local one, whatever got lost on the way, and a second time nothing", () => {
    const lines = fc
      .uniqueArray(fc.nat(40), { maxLength: 30 })
      .chain((numbers) =>
        fc.tuple(
          fc.constant(numbers.map((n) => (n % 3 === 0 ? mark(n) : said(`u-${n}`)))),
          fc.array(fc.boolean(), { minLength: numbers.length, maxLength: numbers.length }),
        ),
      );
    fc.assert(
      fc.property(lines, ([local, kept]) => {
        const stored = store(local).filter((_, index) => kept[index]);
        const repaired = [...stored, ...missingEntries(stored, local, newKeys())].toSorted(
          (left, right) => left.seq - right.seq,
        );
        expect(repaired.map((entry) => entry.json)).toEqual(local.map(json));
        expect(missingEntries(repaired, local, newKeys())).toEqual([]);
      }),
    );
  });
});
