import { freshId } from "./answer.ts";
import type { ErrorStatus } from "./script.ts";
import { eventsOf } from "./sse.ts";
import { type Answer, errorBody } from "./wire.ts";

/** What goes over the wire; `cut` breaks the connection behind the body instead of ending the response. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string;
  cut?: true;
}

/** A plain JSON or text reply. Every reply says in a header that it comes from a script. */
export function reply(status: number, body: string | object, headers: Record<string, string> = {}): Reply {
  const text = typeof body === "string";
  return {
    status,
    headers: {
      "content-type": text ? "text/plain; charset=utf-8" : "application/json",
      "x-model-sim": "a script, no model",
      "request-id": freshId("req"),
      ...headers,
    },
    body: text ? body : JSON.stringify(body),
  };
}

export function errorReply(status: ErrorStatus, message: string, headers: Record<string, string> = {}): Reply {
  const requestId = freshId("req");
  return reply(status, errorBody(status, message, requestId), { "request-id": requestId, ...headers });
}

export function answerReply(answer: Answer, stream: boolean): Reply {
  if (!stream) return reply(200, answer);
  return reply(200, eventsOf(answer).join(""), streamHeaders);
}

/** The first half of the answer, then the connection breaks. */
export function cutReply(answer: Answer, stream: boolean): Reply {
  const { body } = answerReply(answer, stream);
  const half = body.slice(0, Math.ceil(body.length / 2));
  return { ...reply(200, half, stream ? streamHeaders : { "content-type": "application/json" }), cut: true };
}

const streamHeaders = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
