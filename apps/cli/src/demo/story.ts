import { styleText } from "node:util";
import { printable } from "../text.ts";

/** Where the story goes, and how wide and colourful it may be there. */
export interface Paper {
  write(text: string): void;
  readonly colours: boolean;
  /** Columns now, since a window changes; infinite where nobody looks. */
  readonly width: number;
}

/** One line as it was told. */
export interface Step {
  at_ms: number;
  who: string;
  text: string;
}

type Format = Parameters<typeof styleText>[0];

const timeWidth = 8;
const whoWidth = 9;
const indent = " ".repeat(timeWidth + whoWidth + 4);

/** Tells the demo to a person, a line per step with the seconds since its start, and keeps the steps. */
export class Story {
  readonly steps: Step[] = [];
  readonly #paper: Paper;
  readonly #now: () => number;

  /** `now`: milliseconds since the demo's start. */
  constructor(paper: Paper, now: () => number) {
    this.#paper = paper;
    this.#now = now;
  }

  /** Milliseconds since the demo's start. */
  get elapsed(): number {
    return this.#now();
  }

  heading(text: string): void {
    this.#line(`\n${this.#style("bold", text)}`);
  }

  /** Text that stands by itself, such as the opening and the end. */
  plain(text: string): void {
    this.#line(
      text
        .split("\n")
        .flatMap((line) => wrap(line, this.#paper.width))
        .join("\n"),
    );
  }

  /** `at`: when it happened, where that is known better than by now. `quiet`: of lesser weight, so one line must do. */
  step(who: string, text: string, { at = this.#now(), quiet = false }: { at?: number; quiet?: boolean } = {}): void {
    this.steps.push({ at_ms: Math.round(at), who, text });
    const time = this.#style("dim", `${(at / 1_000).toFixed(1)} s`.padStart(timeWidth));
    const label = this.#style("cyan", who.padEnd(whoWidth));
    const said = quiet ? [this.#style("dim", this.#fit(text))] : wrap(oneLine(text), this.#room);
    this.#line(`${time}  ${label}  ${said.join(`\n${indent}`)}`);
  }

  /** Belongs to the step before. */
  detail(text: string): void {
    for (const line of wrap(oneLine(text), this.#room)) this.#line(`${indent}${this.#style("dim", line)}`);
  }

  /** Never shortened: it must be possible to click it. */
  link(address: string): void {
    this.#line(`${indent}${this.#style("underline", printable(address))}`);
  }

  /** Never broken: it must be possible to copy it. */
  command(text: string): void {
    this.#line(`  ${this.#style("cyan", text)}`);
  }

  fact(name: string, value: string): void {
    this.#line(`  ${this.#style("dim", name.padEnd(26))}${value}`);
  }

  check(ok: boolean, text: string, detail: string): void {
    const mark = ok ? this.#style("green", "✓") : this.#style("red", "✗");
    this.#line(`  ${mark} ${text}${detail === "" ? "" : this.#style("dim", `  ${detail}`)}`);
  }

  /** What went wrong, whole. */
  failure(text: string): void {
    const [first = "", ...rest] = text.split("\n");
    this.#line(`\n${this.#style(["red", "bold"], printable(first))}`);
    for (const line of rest) this.#line(printable(line));
  }

  get #room(): number {
    return Math.max(20, this.#paper.width - indent.length);
  }

  #fit(text: string): string {
    const flat = oneLine(text);
    return flat.length <= this.#room ? flat : `${flat.slice(0, this.#room - 1).toWellFormed()}…`;
  }

  #style(format: Format, text: string): string {
    return this.#paper.colours ? styleText(format, text, { validateStream: false }) : text;
  }

  #line(text: string): void {
    this.#paper.write(`${text}\n`);
  }
}

/** At spaces only: a word that is too long stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

const oneLine = (text: string): string => printable(text.replaceAll(/\s*\n\s*/g, " "));

/** A terminal takes colours unless NO_COLOR (any value but the empty one) says otherwise: https://no-color.org */
export function paperFor(
  stream: Pick<NodeJS.WriteStream, "write"> & Partial<Pick<NodeJS.WriteStream, "isTTY" | "columns">>,
  env: Readonly<Record<string, string | undefined>>,
): Paper {
  const terminal = stream.isTTY === true;
  return {
    write: (text) => void stream.write(text),
    colours: terminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb",
    get width() {
      return terminal ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY;
    },
  };
}
