import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import type { FileFault } from "../domain/fault.ts";

export type Path = readonly PropertyKey[];

/** One YAML file, with the place of everything in it. */
export interface Source {
  file: string;
  /** The content as plain data; null where `faults` is not empty. */
  data: unknown;
  faults: FileFault[];
  /** A fault at the value of `path`, or at the nearest thing above it that is there. */
  fault(path: Path, message: string, expected: string): void;
  /** At the key itself. */
  faultAtKey(path: Path, key: string, message: string, expected: string): void;
  /** At a character of the text that the value of `path` stands for. */
  faultInside(path: Path, offset: number, message: string, expected: string): void;
}

/** Never throws: what cannot be read is a fault. */
export function readSource(file: string, text: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const faults: FileFault[] = [];
  const add = (offset: number, message: string, expected: string): void => {
    const { line, col } = lines.linePos(offset);
    faults.push({ file, line: Math.max(line, 1), column: Math.max(col, 1), message, expected });
  };
  for (const { code, message, pos } of [...document.errors, ...document.warnings])
    add(pos[0], `this is not YAML as flows use it: ${message}`, code === "TAG_RESOLVE_FAILED" ? tagHint : "a YAML map");
  visit(document, {
    Alias: (_, node) => add(startOf(node), "aliases (*name) are not understood in flows", "the value itself"),
    Pair: (_, { key }) => {
      if (isCollection(key)) add(startOf(key), "a key is a list or a map", "a name as key");
    },
  });
  return {
    file,
    data: faults.length === 0 ? document.toJS() : null,
    faults,
    fault: (path, message, expected) => add(startOf(nearest(document, path)), message, expected),
    faultAtKey: (path, key, message, expected) => add(startOf(keyNode(document, path, key)), message, expected),
    faultInside: (path, offset, message, expected) =>
      add(offsetInside(nearest(document, path), offset, text), message, expected),
  };
}

const tagHint = "quotes or ${{ }} around a value that begins with !";

const startOf = (node: Node | null): number => node?.range?.[0] ?? 0;

function nearest(document: Document, path: Path): Node | null {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node;
  }
  return isNode(document.contents) ? document.contents : null;
}

function keyNode(document: Document, path: Path, key: string): Node | null {
  const owner = nearest(document, path);
  if (!isMap(owner) || isAlias(owner)) return owner;
  const found = owner.items.find((item) => isScalar(item.key) && String(item.key.value) === key)?.key;
  return isNode(found) ? found : owner;
}

/**
 * Where a character of a scalar's value stands in the file. Folding changes white space only, so the characters that
 * are not white space are counted; quotes and a block's header are skipped, and an escape counts for one.
 */
function offsetInside(node: Node | null, offset: number, text: string): number {
  if (!isScalar(node) || typeof node.value !== "string" || !node.range) return startOf(node);
  const { start, escape } = layoutOf(node.type, node.range[0], text);
  let left = node.value.slice(0, offset).replaceAll(/\s/g, "").length;
  for (let at = start; at < node.range[1]; at++) {
    if (/\s/.test(text.charAt(at)) || (escape === "\\" && text.startsWith("\\\n", at))) continue;
    if (left === 0) return at;
    left--;
    if (escape !== null && text.startsWith(escape, at)) at++;
  }
  return startOf(node);
}

function layoutOf(type: string | undefined, start: number, text: string): { start: number; escape: string | null } {
  if (type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED")
    return { start: text.indexOf("\n", start) + 1, escape: null };
  if (type === "QUOTE_SINGLE") return { start: start + 1, escape: "''" };
  if (type === "QUOTE_DOUBLE") return { start: start + 1, escape: "\\" };
  return { start, escape: null };
}
