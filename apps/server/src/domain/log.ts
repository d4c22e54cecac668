/** A structured log: static text and fields; ids go into the fields. */
export interface Log {
  debug(fields: Record<string, unknown>, text: string): void;
  info(fields: Record<string, unknown>, text: string): void;
  warn(fields: Record<string, unknown>, text: string): void;
  error(fields: Record<string, unknown>, text: string): void;
}

/** For tests and for callers that have nothing to say. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
