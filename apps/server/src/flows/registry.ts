import { dispatch } from "./ops/dispatch.ts";
import type { RegisteredOp } from "./ops/op.ts";

/** Everything that a step can use. */
export const ops = { dispatch } satisfies Record<string, RegisteredOp>;

export type OpName = keyof typeof ops;

export const isOpName = (name: string): name is OpName => Object.hasOwn(ops, name);
