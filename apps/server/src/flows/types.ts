/** What an expression can give, as far as it is known before any event is there. */
export type ValueType =
  | { kind: "text" /** All that it can be; absent: anything. */; values?: readonly string[]; nullable?: true }
  | { kind: "number" }
  | { kind: "boolean" }
  | { kind: "null" }
  | { kind: "list"; of: ValueType }
  | { kind: "object"; properties: ObjectType };

export type ObjectType = Readonly<Record<string, ValueType>>;

/** A value in a context: plain data, so that the same event gives the same bytes. */
export type ContextValue =
  | string
  | number
  | boolean
  | null
  | readonly ContextValue[]
  | { readonly [key: string]: ContextValue };

export const text: ValueType = { kind: "text" };
export const number: ValueType = { kind: "number" };
export const boolean: ValueType = { kind: "boolean" };
export const oneOf = (...values: readonly string[]): ValueType => ({ kind: "text", values });
export const listOf = (of: ValueType): ValueType => ({ kind: "list", of });
export const object = (properties: ObjectType): ValueType => ({ kind: "object", properties });

export const isScalar = (type: ValueType): boolean => type.kind !== "list" && type.kind !== "object";

export function describeType(type: ValueType): string {
  switch (type.kind) {
    case "text":
    case "null":
      return type.kind;
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "list":
      return "a list";
    case "object":
      return `a group of properties (${Object.keys(type.properties).join(", ")})`;
    default:
      return type satisfies never;
  }
}

/** What a value is that may be either; null where nothing useful can be said of both. */
export function joinTypes(left: ValueType, right: ValueType): ValueType | null {
  if (left.kind === "null") return asNullable(right);
  if (right.kind === "null") return asNullable(left);
  if (left.kind === "text" && right.kind === "text") {
    const nullable = left.nullable === true || right.nullable === true;
    const values = left.values && right.values ? [...new Set([...left.values, ...right.values])] : undefined;
    return { kind: "text", ...(values ? { values } : {}), ...(nullable ? { nullable } : {}) };
  }
  if (left.kind === "list" && right.kind === "list") {
    const of = joinTypes(left.of, right.of);
    return of === null ? null : listOf(of);
  }
  return left.kind === right.kind && isScalar(left) ? left : null;
}

function asNullable(type: ValueType): ValueType | null {
  if (type.kind === "null") return type;
  return type.kind === "text" ? { ...type, nullable: true } : null;
}
