import { isAbsolute, posix, relative, resolve, sep } from "node:path";
import type { RuleTester } from "oxlint/plugins-dev";
import type { Effect } from "./layers.ts";
import { layerOf, refusal } from "./placing.ts";
import { advice, functions, members, modules } from "./world.ts";

type Rule = Parameters<RuleTester["run"]>[1];
type Context = Parameters<NonNullable<Rule["create"]>>[0];
type Visitor = ReturnType<NonNullable<Rule["create"]>>;
type NodeOf<Name extends keyof Visitor> = Parameters<NonNullable<Visitor[Name]>>[0];
type Node = Parameters<Context["sourceCode"]["isGlobalReference"]>[0];

const root = resolve(import.meta.dirname, "../..");
const extension = /\.(?:tsx?|json|ya?ml|md|css|liquid|svg|html|txt)$/;

/** From the repository's root, with slashes; undefined for a file elsewhere. */
function placeOf(filename: string): string | undefined {
  const path = relative(root, filename);
  return path.startsWith("..") || isAbsolute(path) ? undefined : path.split(sep).join(posix.sep);
}

/** Calls back for each module named in the file: imports, re-exports, `import()` and types of `import("…")`. */
function eachImport(found: (specifier: string, node: NodeOf<"Literal">) => void): Visitor {
  const see = (source: { type: string } | null) => {
    if (source?.type !== "Literal") return;
    const literal = source as NodeOf<"Literal">;
    if (typeof literal.value === "string") found(literal.value, literal);
  };
  return {
    ImportDeclaration: (node) => see(node.source),
    ExportNamedDeclaration: (node) => see(node.source),
    ExportAllDeclaration: (node) => see(node.source),
    ImportExpression: (node) => see(node.source),
    TSImportType: (node) => see(node.source),
  };
}

const imports: Rule = {
  create(context) {
    const file = placeOf(context.filename);
    if (file === undefined) return {};
    const visitor = eachImport((specifier, node) => {
      const why = refusal(file, specifier);
      if (why !== undefined) context.report({ node, message: `${why} (scripts/lint/layers.ts).` });
      if (specifier.startsWith(".") && !extension.test(specifier))
        context.report({ node, message: `"${specifier}" needs its file extension.` });
    });
    return {
      ...visitor,
      Program(node) {
        if (layerOf(file) === undefined)
          context.report({ node, message: `${file} stands in no layer: add it to scripts/lint/layers.ts.` });
      },
    };
  },
};

const aliases: Rule = {
  create: (context) =>
    eachImport((specifier, node) => {
      if (/^(?:[@~]\/|~|#)/.test(specifier))
        context.report({ node, message: `"${specifier}" is a path alias: import the file by its relative path.` });
    }),
};

/** The name of a global, as `Date` or `globalThis.Date`; undefined for anything that the file itself declares. */
function globalName(context: Context, node: Node): string | undefined {
  if (node.type === "Identifier") return context.sourceCode.isGlobalReference(node) ? node.name : undefined;
  if (node.type !== "MemberExpression" || globalName(context, node.object) !== "globalThis") return undefined;
  return keyName(node);
}

function keyName(node: NodeOf<"MemberExpression">): string | undefined {
  if (!node.computed && node.property.type === "Identifier") return node.property.name;
  return node.property.type === "Literal" && typeof node.property.value === "string" ? node.property.value : undefined;
}

function memberEffect(context: Context, node: NodeOf<"MemberExpression">): [string, Effect] | undefined {
  const key = keyName(node);
  if (key === undefined) return undefined;
  if (node.object.type === "MetaProperty" && key === "env") return ["import.meta.env", "environment"];
  const object = globalName(context, node.object);
  if (object === undefined) return undefined;
  const effect = object === "globalThis" ? functions[key] : members[object]?.[key];
  return effect && [`${object}.${key}`, effect];
}

/** `names` are what is taken from the module; undefined stands for the module as a whole. */
function moduleEffects(specifier: string, names: (string | undefined)[]): [string, Effect][] {
  const module = modules[specifier.replace(/^node:/, "")];
  if (module === undefined) return [];
  return names.flatMap((name): [string, Effect][] => {
    if (name === undefined) return Object.entries(module);
    const effect = module[name] ?? module["*"];
    return effect ? [[name, effect]] : [];
  });
}

function importEffects(node: NodeOf<"ImportDeclaration">): [string, Effect][] {
  if (node.importKind === "type") return [];
  const names = node.specifiers.flatMap((specifier) => {
    if (specifier.type !== "ImportSpecifier") return [undefined];
    return specifier.importKind === "type" ? [] : [exportedName(specifier.imported)];
  });
  return moduleEffects(node.source.value, names);
}

function reExportEffects(node: NodeOf<"ExportNamedDeclaration">): [string, Effect][] {
  if (node.source === null || node.exportKind === "type") return [];
  const values = node.specifiers.filter(({ exportKind }) => exportKind !== "type");
  return moduleEffects(
    node.source.value,
    values.map(({ local }) => exportedName(local)),
  );
}

const exportedName = (name: { type: string; name?: string; value?: unknown }): string | undefined =>
  name.type === "Literal" ? String(name.value) : name.name;

function patternEffects(context: Context, node: NodeOf<"VariableDeclarator">): [string, Effect][] {
  if (node.id.type !== "ObjectPattern" || node.init === null) return [];
  const object = globalName(context, node.init) ?? "";
  return node.id.properties.flatMap((property): [string, Effect][] => {
    if (property.type !== "Property" || property.key.type !== "Identifier") return [];
    const effect = members[object]?.[property.key.name];
    return effect ? [[`${object}.${property.key.name}`, effect]] : [];
  });
}

const effects: Rule = {
  create(context) {
    const file = placeOf(context.filename);
    const layer = file === undefined ? undefined : layerOf(file);
    if (layer === undefined) return {};
    const see = (node: Node, name: string, effect: Effect) => {
      if (layer.effects.includes(effect)) return;
      context.report({ node, message: `${layer.name} may not use ${name}. ${advice[effect]}` });
    };
    const seeAll = (node: Node, found: readonly [string, Effect][]) =>
      found.forEach(([name, effect]) => see(node, name, effect));
    return {
      MemberExpression(node) {
        const found = memberEffect(context, node);
        if (found) see(node, ...found);
      },
      Identifier(node) {
        const effect = functions[node.name];
        if (effect && context.sourceCode.isGlobalReference(node)) see(node, node.name, effect);
      },
      NewExpression(node) {
        if (node.arguments.length === 0 && globalName(context, node.callee) === "Date")
          see(node, "new Date()", "clock");
      },
      CallExpression(node) {
        if (globalName(context, node.callee) === "Date") see(node, "Date()", "clock");
      },
      ImportDeclaration: (node) => seeAll(node, importEffects(node)),
      ExportNamedDeclaration: (node) => seeAll(node, reExportEffects(node)),
      ExportAllDeclaration: (node) => seeAll(node, moduleEffects(node.source.value, [undefined])),
      ImportExpression(node) {
        if (node.source.type === "Literal") seeAll(node, moduleEffects(String(node.source.value), [undefined]));
      },
      VariableDeclarator: (node) => seeAll(node, patternEffects(context, node)),
    };
  },
};

export default { meta: { name: "layers" }, rules: { imports, aliases, effects } };
