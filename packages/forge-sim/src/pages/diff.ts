import { html } from "hono/html";
import type { Html } from "./layout.ts";

const maxLines = 3000;

interface FileDiff {
  title: string;
  lines: string[];
}

function splitFiles(text: string): FileDiff[] {
  const files: FileDiff[] = [];
  for (const line of text.split("\n")) {
    const start = /^diff --git (?:"?a\/.*"?) "?b\/(.*?)"?$/.exec(line);
    if (start) files.push({ title: start[1] ?? line, lines: [] });
    else files.at(-1)?.lines.push(line);
  }
  return files;
}

function kindOf(line: string): string {
  if (line.startsWith("@@")) return "hunk";
  if (line.startsWith("+")) return "added";
  if (line.startsWith("-")) return "removed";
  return "same";
}

interface Row {
  kind: string;
  oldLine: string;
  newLine: string;
  text: string;
}

/** Numbers the lines of a file's hunks; git's own header lines (modes, index) are left out. */
function rows(lines: readonly string[]): Row[] {
  const out: Row[] = [];
  let oldAt = 0;
  let newAt = 0;
  const first = lines.findIndex((line) => line.startsWith("@@"));
  for (const line of first < 0 ? [] : lines.slice(first)) {
    const kind = kindOf(line);
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line);
    if (hunk) {
      oldAt = Number(hunk[1]);
      newAt = Number(hunk[2]);
      out.push({ kind, oldLine: "", newLine: "", text: line });
      continue;
    }
    // The text after the last line break, and "\ No newline at end of file".
    if (line === "" || line.startsWith("\\")) continue;
    out.push({
      kind,
      oldLine: kind === "added" ? "" : String(oldAt),
      newLine: kind === "removed" ? "" : String(newAt),
      text: line.slice(1),
    });
    if (kind !== "added") oldAt += 1;
    if (kind !== "removed") newAt += 1;
  }
  return out;
}

const signs: Record<string, string> = { added: "+", removed: "−" };

function showRow(row: Row): Html {
  if (row.kind === "hunk") return html`<tr class="hunk"><td colspan="4">${row.text}</td></tr>`;
  return html`<tr class="${row.kind}"><td class="n">${row.oldLine}</td><td class="n">${row.newLine}</td><td class="s">${
    signs[row.kind] ?? ""
  }</td><td class="c">${row.text}</td></tr>`;
}

const table = (shown: readonly Row[]): Html =>
  html`<div class="scroll"><table class="diff">${shown.map(showRow)}</table></div>`;

/** One hunk, as a diff shows it. */
export const diffTable = (hunk: string): Html => table(rows(hunk.split("\n")));

function showFile(file: FileDiff, shown: readonly Row[]): Html {
  const binary = file.lines.some((line) => line.startsWith("Binary files") || line.startsWith("GIT binary patch"));
  const word = binary ? "Binary file" : "No lines to show";
  const body = shown.length > 0 ? table(shown) : word;
  const added = shown.filter(({ kind }) => kind === "added").length;
  const removed = shown.filter(({ kind }) => kind === "removed").length;
  return html`<details class="card file" open>
<summary><code>${file.title}</code><span class="counts"><span class="plus">+${added}</span> <span class="minus">−${removed}</span></span></summary>
${typeof body === "string" ? html`<p class="quiet pad">${body}</p>` : body}</details>`;
}

/** Of the files in a unified diff. */
export const changedPaths = (text: string): string[] => splitFiles(text).map(({ title }) => title);

/** A unified diff, coloured; a very long one is cut with a word about it. */
export function diffView(text: string): Html {
  const files = splitFiles(text);
  if (files.length === 0) return html`<p class="quiet">No changes.</p>`;
  let left = maxLines;
  const parts = files.map((file) => {
    const all = rows(file.lines);
    const shown = all.slice(0, Math.max(left, 0));
    left -= all.length;
    return showFile(file, shown);
  });
  return html`${parts}${left < 0 ? html`<p class="quiet">${-left} more lines are not shown here.</p>` : ""}`;
}
