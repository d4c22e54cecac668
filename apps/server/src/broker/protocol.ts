import { z } from "zod";

/** Where the Messages API is: `baseUrl` may have a path; with `socket` the connection goes to that unix socket. */
export const Upstream = z.strictObject({
  baseUrl: z.url({ protocol: /^https?$/ }),
  socket: z.string().startsWith("/").nullable(),
});
export type Upstream = z.infer<typeof Upstream>;

export const Credential = z.strictObject({
  kind: z.enum(["api-key", "oauth"]),
  // What a header can carry; a line break in it would be another header.
  value: z.string().regex(/^[\x21-\x7e]+$/, "must be one line of visible ASCII, without spaces"),
});
export type Credential = z.infer<typeof Credential>;

/** The first line that the broker reads. */
export const Setup = z.strictObject({ upstream: Upstream, credential: Credential });
export type Setup = z.infer<typeof Setup>;

/** A run's socket. Its folder, but none above it, is made where it is missing; both are for `owner` alone, or with null for the broker's own user. */
export const OpenSocket = z.strictObject({
  run: z.string().min(1),
  /** Absolute. */
  socket: z.string().startsWith("/"),
  owner: z.strictObject({ uid: z.int().min(0), gid: z.int().min(0) }).nullable(),
});
export type OpenSocket = z.infer<typeof OpenSocket>;

/** Every further line that it reads. */
export const Command = z.union([
  z.strictObject({ open: OpenSocket }),
  z.strictObject({ close: z.strictObject({ run: z.string().min(1) }) }),
]);
export type Command = z.infer<typeof Command>;

const tokens = z.int().min(0);

/** As the Messages API counts: cached input is not in `inputTokens`. */
export const TokenUsage = z.object({
  inputTokens: tokens,
  cacheCreationInputTokens: tokens,
  cacheReadInputTokens: tokens,
  outputTokens: tokens,
});
export type TokenUsage = z.infer<typeof TokenUsage>;

/** One request that was passed on, when its answer has ended. These figures come from the model's answer, not from the agent. */
export const RequestReport = z.object({
  run: z.string(),
  path: z.string(),
  /** The model's; 502 where it gave none. */
  status: z.int(),
  model: z.string().nullable(),
  /** Null where the answer carried none, as for errors and token counts. */
  usage: TokenUsage.nullable(),
  ms: z.number(),
  /** Of a 429: until when, in ms since the epoch, where the answer said it. */
  limitedUntil: z.number().nullable(),
  /** The agent hung up, or the connection broke, before the answer was whole. */
  cut: z.boolean(),
});
export type RequestReport = z.infer<typeof RequestReport>;

/** A request that was not passed on, and why. */
export const Refusal = z.object({ run: z.string(), method: z.string(), path: z.string(), why: z.string() });
export type Refusal = z.infer<typeof Refusal>;

/** Every line that it writes. */
export const Report = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ opened: z.object({ run: z.string() }) }),
  z.object({ closed: z.object({ run: z.string() }) }),
  z.object({ failed: z.object({ run: z.string(), error: z.string() }) }),
  z.object({ request: RequestReport }),
  z.object({ refused: Refusal }),
  z.object({ fatal: z.string() }),
]);
export type Report = z.infer<typeof Report>;
