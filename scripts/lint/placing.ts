import { posix } from "node:path";
import { type Layer, layers } from "./layers.ts";

const workspace = /^(?:apps|packages)\/[^/]+/;

/** The layer of a file, by its path from the repository's root; undefined where no layer claims it. */
export function layerOf(file: string): Layer | undefined {
  return layers.find(({ files }) => files.some((glob) => posix.matchesGlob(file, glob)));
}

/** Why this file may not import this; undefined where it may. Both answers need only the names, never the disk. */
export function refusal(file: string, specifier: string): string | undefined {
  const layer = layerOf(file);
  if (layer === undefined) return undefined;
  if (specifier.startsWith(".")) return refusalOfFile(file, layer, posix.join(posix.dirname(file), specifier));
  if (specifier.startsWith("@claude-hooks/")) return refusalOfWorkspace(layer, specifier);
  if (layer.packages?.some((glob) => posix.matchesGlob(packageOf(specifier), glob)) ?? true) return undefined;
  return `${layer.name} may use only ${layer.packages?.join(", ")}, not "${specifier}"`;
}

/** `@scope/name/deep` is of `@scope/name`; Node's modules stand for themselves. */
const packageOf = (specifier: string): string =>
  specifier.startsWith("node:") ? specifier : (/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);

function refusalOfFile(file: string, layer: Layer, target: string): string | undefined {
  if (layer.imports === "everything") return undefined;
  if (workspace.exec(file)?.[0] !== workspace.exec(target)?.[0])
    return `"${target}" is of another workspace: import it by that package's name`;
  const targetLayer = layerOf(target);
  if (targetLayer === undefined) return `"${target}" stands in no layer`;
  if (targetLayer === layer || layer.imports.includes(targetLayer.name)) return undefined;
  return `${layer.name} may not import ${targetLayer.name}: it may import ${listed(layer)}`;
}

function refusalOfWorkspace(layer: Layer, specifier: string): string | undefined {
  const name = specifier.split("/", 2).join("/");
  if (layer.imports === "everything" || layer.imports.includes(name)) return undefined;
  return `${layer.name} may not import ${name}: it may import ${listed(layer)}`;
}

function listed({ imports }: Layer): string {
  return imports.length > 0 && imports !== "everything" ? `${imports.join(", ")} and itself` : "only itself";
}
