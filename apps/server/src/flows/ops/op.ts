import type { z } from "zod";
import type { EventKind } from "../../domain/event.ts";
import type { Expression } from "../expressions.ts";
import type { Step } from "../flow.ts";

/** What an op may look up and complain to while a flow is loaded. Paths start inside the step's `with`. */
export interface OpLoad {
  /** Every kind of event that can reach the step. */
  kinds: readonly EventKind[];
  agents: readonly string[];
  skills: readonly string[];
  /** Checked, or null after a fault was reported. */
  expression(key: string, text: Template): Expression | null;
  fault(key: string, message: string, expected: string): void;
}

/** A value in `with`: a text as it stands, or one expression. */
export type Template = { kind: "literal"; text: string } | { kind: "expression"; source: string; offset: number };

/** What a step can use. `settings` is the schema of its `with`; its messages say what was expected. */
export interface Op<Settings extends z.ZodObject = z.ZodObject> {
  /** For people: what it does, when it does nothing. */
  about: string;
  settings: Settings;
  /** Null after at least one fault. */
  compile(settings: z.infer<Settings>, load: OpLoad): Step["plan"] | null;
}

/** An op as the registry holds it: it checks its own settings, whatever their type. */
export interface RegisteredOp {
  about: string;
  settings: z.ZodObject;
  compile(settings: unknown, load: OpLoad): CompiledOp;
}

export type CompiledOp =
  | { kind: "plan"; plan: Step["plan"] }
  | { kind: "refused" }
  | { kind: "issues"; issues: readonly z.core.$ZodIssue[] };

export function registered<Settings extends z.ZodObject>(op: Op<Settings>): RegisteredOp {
  return {
    about: op.about,
    settings: op.settings,
    compile(settings, load) {
      const parsed = op.settings.safeParse(settings);
      if (!parsed.success) return { kind: "issues", issues: parsed.error.issues };
      const plan = op.compile(parsed.data, load);
      return plan === null ? { kind: "refused" } : { kind: "plan", plan };
    },
  };
}

/** Reads `dev` or `${{ agents.assigned }}`; null where expressions stand among other text. */
export function readTemplate(text: string): Template | null {
  if (!text.includes("${{")) return { kind: "literal", text };
  const match = /^(\s*\$\{\{)((?:(?!\$\{\{).)*)\}\}\s*$/s.exec(text);
  if (match === null) return null;
  const [, opening = "", source = ""] = match;
  return { kind: "expression", source, offset: opening.length };
}
