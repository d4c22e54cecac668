/** RFC 3339 with whole seconds, as Go writes a time in UTC. */
export const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

export const optionalTime = (ms: number | undefined): string | null => (ms === undefined ? null : time(ms));

/** Go's zero time. */
export const zeroTime = "0001-01-01T00:00:00Z";
