import { LiquidError } from "liquidjs";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import type { FileFault } from "../domain/fault.ts";
import { type PromptInputName, promptEngine, promptInputs, renderTemplate, type Skill } from "./prompt.ts";

export interface SkillText {
  /** As people should see it in a fault; its name is `<skill>.md.liquid`. */
  file: string;
  text: string;
}

export type LoadedSkills =
  | { kind: "loaded"; skills: ReadonlyMap<string, Skill> }
  | { kind: "refused"; faults: FileFault[] };

const suffix = ".md.liquid";
const inputNames = Object.keys(promptInputs) as PromptInputName[];

const FrontMatter = z.strictObject({
  description: z.string(),
  inputs: z.array(z.enum(inputNames, `one of ${inputNames.join(", ")}`)).min(1),
});

/** All or nothing, like flows; an operator's skill shadows the shipped one of the same name. Never throws. */
export function loadSkills(sources: { defaults: readonly SkillText[]; custom: readonly SkillText[] }): LoadedSkills {
  const files = new Map<string, SkillText>();
  for (const source of [...sources.defaults, ...sources.custom])
    files.set(source.file.slice(source.file.lastIndexOf("/") + 1), source);
  const faults: FileFault[] = [];
  const skills = new Map<string, Skill>();
  for (const [base, { file, text }] of files) {
    const found: FileFault[] = [];
    const report: Report = (line, column, message, expected) => found.push({ file, line, column, message, expected });
    if (!base.endsWith(suffix) || base === suffix) report(1, 1, "the file's name is no skill's", `<skill>${suffix}`);
    const skill = loadSkill(base.slice(0, -suffix.length), text, report);
    if (skill !== null) skills.set(skill.name, skill);
    faults.push(...found);
  }
  return faults.length > 0 ? { kind: "refused", faults } : { kind: "loaded", skills };
}

type Report = (line: number, column: number, message: string, expected: string) => unknown;

function loadSkill(name: string, text: string, report: Report): Skill | null {
  const match = /^---\r?\n(.*?)^---\r?\n(.*)$/ms.exec(text);
  if (match === null) {
    report(1, 1, "it does not begin with front matter", "a line ---, description and inputs as YAML, and a line ---");
    return null;
  }
  const [, head = "", body = ""] = match;
  const front = readFrontMatter(head, report);
  if (front === null) return null;
  // Empty lines for the front matter, so that Liquid's lines are the file's.
  const above = text.slice(0, text.length - body.length).split("\n").length - 1;
  const template = parseTemplate("\n".repeat(above) + body, front.inputs, report);
  return template === null ? null : { name, inputs: front.inputs, template };
}

function readFrontMatter(head: string, report: Report): z.infer<typeof FrontMatter> | null {
  const lines = new LineCounter();
  const document = parseDocument(head, { lineCounter: lines, prettyErrors: false });
  // The front matter starts on the file's second line.
  const at = (offset: number) => ({ line: lines.linePos(offset).line + 1, column: lines.linePos(offset).col });
  for (const { message, pos } of [...document.errors, ...document.warnings]) {
    const { line, column } = at(pos[0]);
    report(line, column, `the front matter is not YAML: ${message}`, "description and inputs");
  }
  if (document.errors.length + document.warnings.length > 0) return null;
  const parsed = FrontMatter.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) {
    const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined;
    const { line, column } = at(node?.range?.[0] ?? 0);
    const where = path.length === 0 ? "the front matter" : path.map(String).join(".");
    report(line, column, `${where} is not right: ${message}`, "description: <text>, and inputs: [<names>]");
  }
  return null;
}

/** Every placeholder must be a declared input, and the template must render with and without the optional ones. */
function parseTemplate(text: string, inputs: readonly PromptInputName[], report: Report): Skill["template"] | null {
  try {
    const template = promptEngine.parse(text);
    const declared = `one of the declared inputs: ${inputs.join(", ")}`;
    const strange = Object.values(promptEngine.analyzeSync(template, { partials: false }).globals)
      .flat()
      .filter(({ segments }) => segments.length > 1 || !inputs.some((input) => input === segments[0]));
    for (const { segments, location } of strange)
      report(location.row, location.col, `the placeholder ${segments.map(String).join(".")} is not an input`, declared);
    if (strange.length > 0) return null;
    for (const optionalToo of [true, false]) renderTemplate(template, sampleValues(inputs, optionalToo));
    return template;
  } catch (error) {
    if (!(error instanceof LiquidError)) throw error;
    const [line = 1, column = 1] = error.token.getPosition();
    report(
      line,
      column,
      error.message.replace(/, line:\d+.*$/s, ""),
      "a Liquid template; {% if %} around optional inputs",
    );
    return null;
  }
}

const sampleValues = (inputs: readonly PromptInputName[], optionalToo: boolean): Record<string, unknown> =>
  Object.fromEntries(
    inputs.filter((input) => optionalToo || !promptInputs[input].optional).map((input) => [input, "1"]),
  );
