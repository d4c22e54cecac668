/** As Forgejo's `CODE_COMMENT_LINES`. */
const shownLines = 4;

/**
 * The part of one file's diff that a remark stands below: its hunk up to the line, of which the last lines are kept
 * under a header of their own. Empty where the line is in no hunk, or below zero.
 */
export function hunkAround(diff: string, side: "old" | "new", line: number): string {
  let [oldAt, newAt] = [0, 0];
  let found: string[] = [];
  for (const text of diff.split("\n")) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(text);
    if (header) {
      [oldAt, newAt] = [Number(header[1]), Number(header[2])];
      found = [text];
      continue;
    }
    if (found.length === 0 || text === "") continue;
    found.push(text);
    const hit = side === "old" ? !text.startsWith("+") && oldAt === line : !text.startsWith("-") && newAt === line;
    if (!text.startsWith("+") && !text.startsWith("\\")) oldAt += 1;
    if (!text.startsWith("-") && !text.startsWith("\\")) newAt += 1;
    if (hit && !text.startsWith("\\")) return cut(found, oldAt, newAt);
  }
  return "";
}

/** `oldEnd` and `newEnd` are the lines behind the last. */
function cut(hunk: readonly string[], oldEnd: number, newEnd: number): string {
  if (hunk.length - 1 <= shownLines) return hunk.join("\n");
  const kept = hunk.slice(-shownLines);
  const count = (other: string) => kept.filter((text) => !text.startsWith(other) && !text.startsWith("\\")).length;
  const [olds, news] = [count("+"), count("-")];
  return [`@@ -${oldEnd - olds},${olds} +${newEnd - news},${news} @@`, ...kept].join("\n");
}
