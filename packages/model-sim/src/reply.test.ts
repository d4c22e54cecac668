import { expect, test } from "bun:test";
import { answerText } from "./answer.ts";
import { answerReply, cutReply } from "./reply.ts";

const answer = answerText("A sentence that is long enough to be sent in more than one piece.", "m", {
  input_tokens: 1,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
});

test.each([true, false])("a cut answer is the beginning of the whole one, and not its end (stream: %p)", (stream) => {
  const whole = answerReply(answer, stream);
  const cut = cutReply(answer, stream);
  expect(whole.body.startsWith(cut.body)).toBe(true);
  expect(cut.body.length).toBeLessThan(whole.body.length);
  expect(cut.body).toContain(stream ? "content_block_start" : '"content"');
  expect([whole.cut, cut.cut]).toEqual([undefined, true]);
});
