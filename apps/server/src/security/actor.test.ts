import { expect, test } from "bun:test";
import { type ActorFacts, decideActor } from "./actor.ts";

const alice: ActorFacts = { login: "alice", isOurs: false, permission: "write", error: null };

test.each<[string, Partial<ActorFacts>, boolean, string]>([
  ["a writer", {}, true, "alice, who wrote the comment, has write access"],
  ["an administrator", { permission: "admin" }, true, "has admin access"],
  ["a reader", { permission: "read" }, false, "has read access, and write access is needed"],
  ["a stranger", { permission: "none" }, false, "has no access, and write access is needed"],
  [
    "someone whom the forge could not tell of",
    { permission: null, error: "it answered 502" },
    false,
    "it answered 502",
  ],
  ["someone whom nobody asked about", { permission: null }, false, "counts as no: no answer is on record"],
  ["our own user, administrator or not", { permission: "admin", isOurs: true }, false, "one of our own users"],
])("%s may or may not set an agent to work, and it is said why", (_, change, allowed, why) => {
  const verdict = decideActor({ ...alice, ...change }, "comment");
  expect(verdict.allowed).toBe(allowed);
  expect(verdict.why).toContain(why);
});

test("the reason names what was done", () => {
  expect(decideActor(alice, "assignment").why).toBe("alice, who assigned it, has write access");
});
