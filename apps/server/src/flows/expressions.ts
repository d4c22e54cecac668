import { data, Evaluator, type Expr, ExpressionError, Lexer, Parser } from "@actions/expressions";
import type { ContextAccess } from "@actions/expressions/ast";
import { checkExpression, type ExpressionFault, referencesOf, type Scope, usageOf } from "./check.ts";
import type { Contexts } from "./contexts.ts";
import { type ContextValue, joinTypes, type ValueType } from "./types.ts";

export type { Scope } from "./check.ts";

/** An expression that was parsed and checked against the contexts of every event that can reach it. */
export interface Expression {
  /** As it was written, without the braces. */
  source: string;
  type: ValueType;
  /** The values that it looks at, as `thread.state`. */
  references: readonly string[];
  root: Expr;
}

export type Compiled = { kind: "expression"; expression: Expression } | { kind: "faults"; faults: ExpressionFault[] };

export type Evaluated = { kind: "value"; value: ContextValue } | { kind: "failed"; reason: string };

/** One scope for each kind of event, at least one: the expression must be right in all of them. */
export function compileExpression(source: string, scopes: readonly Scope[]): Compiled {
  const parsed = parse(source, [...new Set(scopes.flatMap(({ contexts }) => Object.keys(contexts)))]);
  if (parsed.kind === "faults") return parsed;
  const faults = new Map<string, ExpressionFault>();
  const types = scopes.map((scope) =>
    checkExpression(parsed.root, scope, (token, message, expected) => {
      const fault = { offset: offsetOf(token, source), message, expected };
      if (!faults.has(`${fault.offset}`)) faults.set(`${fault.offset}`, fault);
      return null;
    }),
  );
  const type = types.reduce((left, right) => (left === null || right === null ? null : joinTypes(left, right)));
  if (faults.size > 0) return { kind: "faults", faults: [...faults.values()] };
  if (type === null || type === undefined)
    return { kind: "faults", faults: [{ offset: 0, message: "its type depends on the event", expected: "one type" }] };
  const references = [...new Set(referencesOf(parsed.root))].toSorted();
  return { kind: "expression", expression: { source: source.trim(), type, references, root: parsed.root } };
}

type Parsed = { kind: "root"; root: Expr } | { kind: "faults"; faults: ExpressionFault[] };

function parse(source: string, contexts: string[]): Parsed {
  const refused = (offset: number, message: string, expected: string): Parsed => ({
    kind: "faults",
    faults: [{ offset, message, expected }],
  });
  try {
    const { tokens } = new Lexer(source).lex();
    // The lexer turns only the first '' of a text into a quote.
    const quotes = tokens.find(({ lexeme }) => /^'.*''.*''.*'$/s.test(lexeme) && lexeme !== "''");
    if (quotes) return refused(offsetOf(quotes, source), "a text has more than one '' in it", "one quote mark at most");
    // Typed as always there, but no tokens give no tree.
    const root = new Parser(tokens, contexts, []).parse() as Expr | undefined;
    if (root === undefined) return refused(0, "the expression is empty", "a condition or a value, as thread.state");
    return { kind: "root", root };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error instanceof ExpressionError)
      return refused(offsetAt(error.pos, source), decapitalise(error.message), expectedAfter(error, contexts));
    const place = /^(.*?)\. Located at position (\d+)/s.exec(error.message);
    if (place) return refused(Number(place[2]) - 1, decapitalise(place[1] ?? ""), syntax);
    return refused(0, decapitalise(error.message), "an expression under 21,000 characters");
  }
}

const syntax =
  "an expression as in Actions: values such as thread.state, texts in 'single quotes', ==, !=, &&, ||, ! and functions";

function expectedAfter({ message }: ExpressionError, contexts: string[]): string {
  if (message.startsWith("Unrecognized named-value"))
    return `one of ${contexts.join(", ")}, or a text in 'single quotes'`;
  if (/^(?:Unrecognized function|Too |Even )/.test(message)) return usageOf(/'(.*)'$/s.exec(message)?.[1] ?? "");
  return syntax;
}

const decapitalise = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1);

const offsetOf = (token: ContextAccess["name"], source: string): number => offsetAt(token.range.start, source);

function offsetAt({ line, column }: { line: number; column: number }, source: string): number {
  const lines = source.split("\n").slice(0, line);
  return lines.reduce((sum, { length }) => sum + length + 1, 0) + column;
}

/** Same input, same answer; never throws. Texts in the contexts are data: nothing in them is parsed. */
export function evaluateExpression({ root, references }: Expression, contexts: Contexts): Evaluated {
  const missing = references.find((path) => path.startsWith("actor.permission") && lookUp(contexts, path) === null);
  if (missing !== undefined) return { kind: "failed", reason: "the permission of the actor is not known" };
  try {
    const result = new Evaluator(root, dictionary(contexts)).evaluate();
    return { kind: "value", value: fromData(result) };
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The value at `thread.state`; undefined where there is none. */
export function lookUp(contexts: Contexts, path: string): ContextValue | undefined {
  return path
    .split(".")
    .reduce<ContextValue | undefined>(
      (value, key) =>
        isObject(value) ? Object.entries(value).find(([name]) => name.toLowerCase() === key)?.[1] : undefined,
      contexts,
    );
}

const isObject = (value: ContextValue | undefined): value is { readonly [key: string]: ContextValue } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function dictionary(values: { readonly [key: string]: ContextValue }): data.Dictionary {
  return new data.Dictionary(...Object.entries(values).map(([key, value]) => ({ key, value: toData(value) })));
}

function toData(value: ContextValue): data.ExpressionData {
  if (value === null) return new data.Null();
  if (typeof value === "string") return new data.StringData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "boolean") return new data.BooleanData(value);
  return isObject(value) ? dictionary(value) : new data.Array(...value.map(toData));
}

function fromData(value: data.ExpressionData): ContextValue {
  switch (value.kind) {
    case data.Kind.String:
      return value.coerceString();
    case data.Kind.Number:
      return value.number();
    case data.Kind.Boolean:
      return value.value;
    case data.Kind.Array:
      return value.values().map(fromData);
    case data.Kind.Dictionary:
      return Object.fromEntries(value.pairs().map((pair) => [pair.key, fromData(pair.value)]));
    case data.Kind.Null:
      return null;
    default:
      return value satisfies never;
  }
}
