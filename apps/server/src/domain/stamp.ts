/** A time as a part of a ref or of a file's name; it sorts as the time does. */
export const stampOf = (now: number): string => new Date(now).toISOString().replaceAll(/[:.]/g, "-");
