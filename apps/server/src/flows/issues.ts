import type { z } from "zod";
import type { Path, Source } from "./source.ts";

type Issue = z.core.$ZodIssue;

/** Turns what a schema refuses into faults at their places. The schemas' messages say what was expected. */
export function reportIssues(
  issues: readonly Issue[],
  source: Source,
  data: unknown,
  keysAt: (path: Path) => string[],
) {
  const report = (issue: Issue, base: Path, within: unknown): void => {
    const path = [...base, ...issue.path];
    const value = valueAt(within, issue.path);
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) source.faultAtKey(path, key, `unknown key "${key}"`, oneOf(keysAt(path)));
      return;
    }
    const branch = issue.code === "invalid_union" ? fittingBranch(issue.errors, value) : undefined;
    if (branch !== undefined) {
      for (const inner of branch) report(inner, path, value);
      return;
    }
    source.fault(path, `${pathName(path)} is ${describe(value)}`, issue.message);
  };
  for (const issue of issues) report(issue, [], data);
}

const oneOf = (keys: readonly string[]): string => (keys.length === 0 ? "no keys" : `one of ${keys.join(", ")}`);

/** The alternative of a union that the writer meant: the only one whose outermost type fits. */
function fittingBranch(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | undefined {
  const misfit = ({ code, path }: Issue): boolean =>
    path.length === 0 && (code === "invalid_type" || (code === "invalid_value" && typeof value !== "string"));
  const fitting = branches.filter((branch) => !branch.some(misfit));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    data,
  );
}

const pathName = (path: Path): string => (path.length === 0 ? "the file" : path.map(String).join("."));

function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return Object.keys(value).length === 0 ? "an empty map" : "a map";
  if (typeof value !== "string") return JSON.stringify(value) ?? typeof value;
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}
