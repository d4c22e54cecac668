import { z } from "zod";

const Line = z.looseObject({ level: z.number(), msg: z.string() });

const kept = 200;
const levels: Record<number, string> = { 10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal" };

/** The newest lines of a service's log, in a form for people. */
export class ServiceLog {
  readonly #lines: string[] = [];

  /** Reads to the end of the stream. */
  async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.add(line);
    }
    this.add(rest);
  }

  add(line: string): void {
    if (line.trim() === "") return;
    this.#lines.push(line);
    if (this.#lines.length > kept) this.#lines.shift();
  }

  /** The last lines, oldest first. */
  tail(count: number): string[] {
    return this.#lines.slice(-count).map(readable);
  }

  /** What the service said of its own end: its errors, or all that it wrote beside its log. */
  lastWords(): string[] {
    const errors = this.#lines.filter((line) => {
      const parsed = parse(line);
      return parsed === undefined || parsed.level >= 50;
    });
    return errors.slice(-12).map(readable);
  }
}

function parse(line: string): z.infer<typeof Line> | undefined {
  try {
    return Line.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function readable(line: string): string {
  const parsed = parse(line);
  if (parsed === undefined) return line;
  const { level, msg, time: _, error, ...fields } = parsed;
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [levels[level] ?? String(level), msg, ...errorParts(error), ...shown].join(" ");
}

/** Its message, and where in the code it was thrown. */
function errorParts(error: unknown): string[] {
  const parsed = z.object({ message: z.string(), stack: z.string().optional() }).safeParse(error);
  if (!parsed.success) return [];
  const { message, stack } = parsed.data;
  const place = /^\s+at .*$/m.exec(stack ?? "")?.[0].trim();
  return [message, ...(place === undefined ? [] : [`(${place})`])];
}
