import pino from "pino";
import pretty from "pino-pretty";
import type { Log } from "../domain/log.ts";

export type LogFormat = "json" | "pretty";

export interface LoggerOptions {
  level: "debug" | "info" | "warn" | "error" | "silent";
  format: LogFormat;
  /** Applied to every finished line, so that no field can carry a secret out. */
  redact: (text: string) => string;
  write: (line: string) => void;
}

/** JSON lines, or a readable form for a terminal; every line has passed the redactor. */
export function createLogger({ level, format, redact, write }: LoggerOptions): Log {
  const readable = pretty.prettyFactory({
    colorize: true,
    ignore: "pid,hostname",
    singleLine: true,
    translateTime: "SYS:HH:MM:ss",
  });
  const stream = {
    write: (line: string) => write(redact(format === "json" ? line : (readable(line) ?? line))),
  };
  return pino({ level, base: null, serializers: { error: describeError } }, stream);
}

function describeError(error: unknown): unknown {
  return error instanceof Error ? pino.stdSerializers.err(error) : error;
}
