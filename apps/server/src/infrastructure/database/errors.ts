/** What a person or a caller has to act on; everything else that a database throws is passed on as it is. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly kind: DatabaseErrorKind;

  constructor(kind: DatabaseErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export type DatabaseErrorKind =
  | "bad-url"
  | "in-use"
  | "unreachable"
  | "newer-version"
  | "migration-failed"
  | "misused-transaction"
  | "closed";

/** The writer holds as much as it may; the caller answers 503 and the sender tries again. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
}

/** The database refused this row because another one holds the place. */
export const isUniqueViolation = (error: unknown): boolean => {
  const code = codeOf(error);
  return code === "23505" || code === "SQLITE_CONSTRAINT_UNIQUE" || code === "SQLITE_CONSTRAINT_PRIMARYKEY";
};

/**
 * The fault lies in what was written (SQLSTATE classes 22, 23 and 54; SQLite's constraint, mismatch and size codes), so
 * that its neighbours may still be stored. Anything else, such as a lost connection or a full disk, meets all alike.
 */
export function isRowFault(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true;
  return /^(?:22...|23...|54...|SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG|RANGE).*)$/.test(codeOf(error) ?? "");
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
