import { describe, expect, test } from "bun:test";
import { contextTypes, contextValues, eventKinds, hasThread } from "./contexts.ts";
import { eventOfKind, facts } from "./testing/events.ts";
import type { ContextValue, ObjectType } from "./types.ts";

describe("contexts", () => {
  test("an event has exactly the properties that its kind promises", () => {
    for (const kind of eventKinds) {
      const known = hasThread(kind) ? facts() : facts({ thread: null });
      const values = contextValues(eventOfKind(kind), known);
      const types = contextTypes(kind, { kinds: [kind], agents: ["dev"] });
      expect(Object.keys(values).toSorted()).toEqual(Object.keys(types).toSorted());
      for (const [name, type] of Object.entries(types)) sameShape(values[name] ?? null, type, `${kind} ${name}`);
    }
  });

  function sameShape(value: ContextValue, type: ObjectType[string], where: string): void {
    if (type.kind === "object") {
      expect([where, ...Object.keys(value ?? {}).toSorted()]).toEqual([
        where,
        ...Object.keys(type.properties).toSorted(),
      ]);
      for (const [key, inner] of Object.entries(type.properties))
        sameShape((value as Record<string, ContextValue>)[key] ?? null, inner, `${where}.${key}`);
      return;
    }
    const found = Array.isArray(value)
      ? "list"
      : value === null
        ? "null"
        : typeof value === "string"
          ? "text"
          : typeof value;
    expect([where, found]).toEqual([
      where,
      type.kind === "text" && type.nullable && value === null ? "null" : type.kind,
    ]);
  }
});
