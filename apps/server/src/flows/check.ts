import { data, type Expr } from "@actions/expressions";
import {
  Binary,
  ContextAccess,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Logical,
  Star,
  Unary,
} from "@actions/expressions/ast";
import {
  boolean,
  describeType,
  isScalar,
  joinTypes,
  number,
  type ObjectType,
  oneOf,
  text,
  type ValueType,
} from "./types.ts";

export interface ExpressionFault {
  /** Characters from the start of the expression. */
  offset: number;
  message: string;
  expected: string;
}

/** The contexts of one kind of event. */
export interface Scope {
  event: string;
  contexts: ObjectType;
}

type Token = ContextAccess["name"];
type Refuse = (token: Token, message: string, expected: string) => null;

/**
 * The type of a parsed expression on these contexts, or null after at least one fault. The library takes an unknown
 * property for null, so that `!=` and `!` would let everything through: here it is a fault, as is every comparison
 * that can have one outcome only.
 */
export function checkExpression(root: Expr, scope: Scope, refuse: Refuse): ValueType | null {
  return typeOf(root, { ...scope, refuse });
}

interface Check extends Scope {
  refuse: Refuse;
}

function typeOf(node: Expr, scope: Check): ValueType | null {
  if (node instanceof Literal) return literalType(node);
  if (node instanceof Grouping) return typeOf(node.group, scope);
  if (node instanceof ContextAccess) return contextType(node, scope);
  if (node instanceof IndexAccess) return indexType(node, scope);
  if (node instanceof FunctionCall) return callType(node, scope);
  if (node instanceof Binary) return comparisonType(node, scope);
  if (node instanceof Logical) return logicalType(node, scope);
  if (node instanceof Unary) return negationType(node, scope);
  throw new Error(`The expression parser made a ${node.constructor.name}, which the checker does not know`);
}

function literalType({ literal }: Literal): ValueType {
  switch (literal.kind) {
    case data.Kind.String:
      return oneOf(literal.coerceString());
    case data.Kind.Number:
      return number;
    case data.Kind.Boolean:
      return boolean;
    case data.Kind.Null:
    case data.Kind.Array:
    case data.Kind.Dictionary:
      return { kind: "null" };
    default:
      return literal satisfies never;
  }
}

function contextType({ name }: ContextAccess, { event, contexts, refuse }: Check): ValueType | null {
  const type = property(contexts, name.lexeme);
  if (type !== undefined) return type;
  return refuse(name, `${event} has no ${name.lexeme}`, `one of ${Object.keys(contexts).join(", ")}`);
}

function indexType(node: IndexAccess, scope: Check): ValueType | null {
  const owner = typeOf(node.expr, scope);
  if (owner === null) return null;
  const token = firstToken(node.index) ?? firstToken(node.expr);
  if (token === undefined) throw new Error("The expression parser gave an access without a place");
  const name = pathOf(node.expr)?.join(".") ?? "this value";
  if (owner.kind === "list") {
    if (node.index instanceof Star) return owner;
    const index = typeOf(node.index, scope);
    if (index === null) return null;
    if (index.kind === "number") return joinTypes(owner.of, { kind: "null" }) ?? owner.of;
    return scope.refuse(token, `${name} is a list, which has no properties`, "a number, as in [0], or contains()");
  }
  if (owner.kind !== "object")
    return scope.refuse(token, `${name} is ${describeType(owner)}, which has no properties`, "the value itself");
  const key = node.index instanceof Literal ? node.index.literal : null;
  const known = Object.keys(owner.properties);
  const expected = known.length === 0 ? `nothing: it is empty for ${scope.event}` : `one of ${known.join(", ")}`;
  if (key?.kind !== data.Kind.String)
    return scope.refuse(token, `a property of ${name} is computed, so it cannot be checked`, expected);
  const type = property(owner.properties, key.coerceString());
  if (type !== undefined) return type;
  return scope.refuse(token, `${name} has no property ${key.coerceString()} for ${scope.event}`, expected);
}

/** As the library looks a name up: whatever the case of its letters. */
function property(properties: ObjectType, name: string): ValueType | undefined {
  return Object.entries(properties).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

function negationType({ expr, operator }: Unary, scope: Check): ValueType | null {
  const type = typeOf(expr, scope);
  if (type === null) return null;
  if (isScalar(type)) return boolean;
  return scope.refuse(operator, `! of ${describeType(type)} is never true`, "one text, number, or true or false");
}

function comparisonType(node: Binary, scope: Check): ValueType | null {
  const left = typeOf(node.left, scope);
  const right = typeOf(node.right, scope);
  if (left === null || right === null) return null;
  const { operator } = node;
  if (!isScalar(left) || !isScalar(right))
    return scope.refuse(
      operator,
      `${operator.lexeme} cannot compare ${describeType(isScalar(left) ? right : left)}`,
      "one text, number, or true or false on each side; contains() looks into a list",
    );
  const equality = operator.lexeme === "==" || operator.lexeme === "!=";
  if (!equality && (left.kind !== "number" || right.kind !== "number"))
    return scope.refuse(operator, `${operator.lexeme} compares ${pair(left, right)}`, "numbers on both sides");
  if (left.kind !== right.kind && left.kind !== "null" && right.kind !== "null")
    return scope.refuse(operator, `${operator.lexeme} compares ${pair(left, right)}`, "the same type on both sides");
  return neverEqual(left, right, node, scope) ? null : boolean;
}

const pair = (left: ValueType, right: ValueType): string => `${describeType(left)} with ${describeType(right)}`;

function neverEqual(left: ValueType, right: ValueType, node: Binary, { refuse }: Check): boolean {
  if (left.kind !== "text" || right.kind !== "text" || !left.values || !right.values) return false;
  const known = new Set(left.values.map((value) => value.toLowerCase()));
  if (right.values.some((value) => known.has(value.toLowerCase()))) return false;
  const literalFirst = node.left instanceof Literal;
  const [literal, values, looked] = literalFirst ? [left, right, node.right] : [right, left, node.left];
  const name = pathOf(looked)?.join(".") ?? "it";
  refuse(node.operator, `${name} can never be ${quoted(literal.values)}`, `one of ${quoted(values.values)}`);
  return true;
}

const quoted = (values: readonly string[] | undefined): string =>
  (values ?? []).map((value) => `'${value}'`).join(", ");

function logicalType(node: Logical, scope: Check): ValueType | null {
  const types = node.args.map((arg) => typeOf(arg, scope));
  return types.reduce((left, right) => {
    if (left === null || right === null) return null;
    const joined = joinTypes(left, right);
    if (joined !== null) return joined;
    return scope.refuse(
      node.operator,
      `${node.operator.lexeme} joins ${pair(left, right)}`,
      "the same type on both sides: compare each side, or choose with case(condition, value, otherwise)",
    );
  });
}

interface Signature {
  usage: string;
  accepts(types: readonly ValueType[], args: readonly Expr[]): boolean;
  gives(types: readonly ValueType[]): ValueType | null;
}

const twoTexts = (types: readonly ValueType[]): boolean => types.every(({ kind }) => kind === "text");

/** What of the library's functions is offered: none that can fail for some texts, none whose value has no known type. */
const functions: Readonly<Record<string, Signature>> = {
  contains: {
    usage: "contains(list or text, text)",
    accepts: ([where, what]) =>
      what?.kind === "text" && (where?.kind === "text" || (where?.kind === "list" && where.of.kind === "text")),
    gives: () => boolean,
  },
  startswith: { usage: "startsWith(text, text)", accepts: twoTexts, gives: () => boolean },
  endswith: { usage: "endsWith(text, text)", accepts: twoTexts, gives: () => boolean },
  format: {
    usage: "format('text with {0}', value, …), where the first text is written out, with a value for each number",
    accepts: ([, ...values], [template]) =>
      template instanceof Literal && values.every(isScalar) && fills(template.literal.coerceString(), values.length),
    gives: () => text,
  },
  join: {
    usage: "join(list of texts, ', ')",
    accepts: ([list, separator]) =>
      list?.kind === "list" && isScalar(list.of) && (separator === undefined || separator.kind === "text"),
    gives: () => text,
  },
  case: {
    usage: "case(condition, value, …, otherwise), with conditions that are true or false and values of one type",
    accepts: (types) => types.every(({ kind }, at) => at % 2 === 1 || at === types.length - 1 || kind === "boolean"),
    gives: (types) => joinAll(types.filter((_, at) => at % 2 === 1 || at === types.length - 1)),
  },
};

const joinAll = (types: readonly (ValueType | null)[]): ValueType | null =>
  types.reduce((left, right) => (left === null || right === null ? null : joinTypes(left, right)), types[0] ?? null);

const functionNames = "one of contains, startsWith, endsWith, format, join, case";

/** How a function is used, or which ones there are. */
export const usageOf = (name: string): string =>
  (Object.hasOwn(functions, name.toLowerCase()) ? functions[name.toLowerCase()]?.usage : undefined) ?? functionNames;

function fills(template: string, values: number): boolean {
  const rest = template.replaceAll("{{", "").replaceAll("}}", "");
  const numbers = [...rest.matchAll(/\{(\d{1,3})\}/g)].map(([, digits]) => Number(digits));
  return numbers.every((at) => at < values) && !/[{}]/.test(rest.replaceAll(/\{\d{1,3}\}/g, ""));
}

function callType({ functionName, args }: FunctionCall, scope: Check): ValueType | null {
  const name = functionName.lexeme.toLowerCase();
  const signature = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (signature === undefined)
    return scope.refuse(functionName, `there is no function ${functionName.lexeme}`, functionNames);
  const types = args.map((arg) => typeOf(arg, scope)).filter((type) => type !== null);
  if (types.length < args.length) return null;
  const result = signature.accepts(types, args) ? signature.gives(types) : null;
  if (result !== null) return result;
  return scope.refuse(functionName, `${functionName.lexeme} cannot work on these values`, signature.usage);
}

/** `thread.state` as its parts; null where it does not start at a context or a part of it is computed. */
function pathOf(node: Expr): string[] | null {
  if (node instanceof ContextAccess) return [node.name.lexeme];
  if (node instanceof Grouping) return pathOf(node.group);
  if (!(node instanceof IndexAccess)) return null;
  const owner = pathOf(node.expr);
  const key = node.index instanceof Literal ? node.index.literal.coerceString() : null;
  return owner === null || key === null ? null : [...owner, key];
}

/** Every value of a context that the expression looks at, as the longest path that is written out. */
export function referencesOf(node: Expr): string[] {
  const path = pathOf(node);
  if (path !== null) return [path.join(".").toLowerCase()];
  return childrenOf(node).flatMap(referencesOf);
}

function childrenOf(node: Expr): readonly Expr[] {
  if (node instanceof Grouping) return [node.group];
  if (node instanceof Unary) return [node.expr];
  if (node instanceof Binary) return [node.left, node.right];
  if (node instanceof Logical || node instanceof FunctionCall) return node.args;
  if (node instanceof IndexAccess) return [node.expr, node.index];
  return [];
}

function firstToken(node: Expr): Token | undefined {
  if (node instanceof Literal) return node.token;
  if (node instanceof ContextAccess) return node.name;
  if (node instanceof FunctionCall) return node.functionName;
  return childrenOf(node)
    .map(firstToken)
    .find((token) => token !== undefined);
}
