import type { Timers } from "../domain/timers.ts";

export interface BodyLimits {
  maxBytes: number;
  /** For the whole body. */
  timeoutMs: number;
}

export type Body = { kind: "read"; bytes: Uint8Array } | { kind: "too-large" } | { kind: "too-slow" } | { kind: "cut" };

/** Reads a body without ever holding more than `maxBytes`, and no longer than `timeoutMs`. */
export async function readBody(
  request: Pick<Request, "body" | "headers">,
  { maxBytes, timeoutMs }: BodyLimits,
  timers: Timers,
): Promise<Body> {
  if (Number(request.headers.get("Content-Length") ?? 0) > maxBytes) return { kind: "too-large" };
  if (request.body === null) return { kind: "read", bytes: new Uint8Array() };
  const reader: Reader = request.body.getReader();
  const late = Promise.withResolvers<"late">();
  const cancelTimer = timers.after(timeoutMs, () => late.resolve("late"));
  try {
    return await collect(reader, maxBytes, late.promise);
  } catch {
    return { kind: "cut" };
  } finally {
    cancelTimer();
    // Nobody waits for it: a sender that is slow or gone may never let it end.
    reader.cancel().catch(() => undefined);
  }
}

interface Reader {
  read(): Promise<{ done: true } | { done: false; value: Uint8Array }>;
  cancel(): Promise<void>;
}

async function collect(reader: Reader, maxBytes: number, late: Promise<"late">): Promise<Body> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const step = await Promise.race([reader.read(), late]);
    if (step === "late") return { kind: "too-slow" };
    if (step.done) return { kind: "read", bytes: Buffer.concat(chunks) };
    size += step.value.byteLength;
    if (size > maxBytes) return { kind: "too-large" };
    chunks.push(step.value);
  }
}
