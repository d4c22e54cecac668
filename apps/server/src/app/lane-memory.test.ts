import { expect, test } from "bun:test";
import type { Review } from "../domain/review.ts";
import { alice, at, bob, pull, repository } from "../events/testing/observations.ts";
import { reviewsOf } from "./lane-memory.ts";

const review = (id: number, seconds: number, change: Partial<Review> = {}): Review => ({
  id,
  author: alice,
  verdict: "commented",
  body: "",
  submittedAt: at(seconds),
  ...change,
});
const event = (seconds: number) => ({
  repository,
  actor: alice,
  verdict: "commented" as const,
  body: "",
  subject: pull({ seconds }),
});

test.each<[string, number, Review[], number[]]>([
  ["the one of its second, among others that say the same", 1, [review(1, 0), review(2, 1), review(3, 2)], [2]],
  ["all of its second, which are one event", 1, [review(1, 1), review(2, 1), review(3, 2)], [1, 2]],
  ["the newest that says the same, where none is of its second", 5, [review(1, 0), review(2, 1)], [2]],
  [
    "none of another person, verdict or words",
    1,
    [review(1, 1, { author: bob }), review(2, 1, { verdict: "approved" }), review(3, 1, { body: "x" })],
    [],
  ],
])("the reviews that a webhook tells of are %s", (_name, seconds, reviews, ids) => {
  expect(reviewsOf(event(seconds), reviews).map(({ id }) => id)).toEqual(ids);
});
