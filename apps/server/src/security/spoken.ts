import { fromMarkdown } from "mdast-util-from-markdown";

type Root = ReturnType<typeof fromMarkdown>;
type Node = Root | Root["children"][number];
type Parent = Extract<Node, { children: unknown }>;

/** What a markdown text says itself: not its quotes, code, HTML comments, attributes or addresses. */
export interface Spoken {
  stretches: readonly Stretch[];
  /** Why part of the text was not looked at, as a person reads it; null where all of it was. */
  incomplete: string | null;
}

export interface Stretch {
  /** As its writer wrote it, escapes and emphasis included; it can have several lines. */
  text: string;
  /** The character before it, or nothing at a start. */
  before: string;
  /** Nothing but white space stands before it on its line. */
  startsLine: boolean;
}

/** Parsing markdown takes more than linear time at its worst: 32 Ki characters of the worst known take half a second. */
const maxCharacters = 32 * 1024;
const maxContainers = 32;

/** Emphasis changes nothing about a mention, and is what takes the longest to parse when the text is hostile. */
const withoutEmphasis = { disable: { null: ["attention"] } };

/** What cannot be looked at counts as not said. */
export function spokenText(markdown: string): Spoken {
  const text = shortened(markdown);
  if (nestsTooDeep(text))
    return {
      stretches: [],
      incomplete: `quotes or lists nest deeper than ${maxContainers}: none of the text was looked at`,
    };
  const tree = fromMarkdown(text, { extensions: [withoutEmphasis] });
  const stretches = [...spoken(tree, text, text.length < markdown.length)];
  return { stretches, incomplete: incompleteness(markdown, text) };
}

function incompleteness(markdown: string, text: string): string | null {
  if (text.length === markdown.length) return null;
  return `only the first ${text.length} of ${markdown.length} characters were looked at`;
}

/** Whole lines, so that no login is cut in two. */
function shortened(markdown: string): string {
  if (markdown.length <= maxCharacters) return markdown;
  return markdown.slice(0, markdown.lastIndexOf("\n", maxCharacters) + 1);
}

function nestsTooDeep(text: string): boolean {
  const marker = /[ \t]*(?:>|[-+*](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$))/y;
  return text.split(/\r?\n|\r/).some((line) => {
    marker.lastIndex = 0;
    let depth = 0;
    while (depth <= maxContainers && marker.test(line)) depth += 1;
    return depth > maxContainers;
  });
}

/** The raw text of every text node that its writer says, in order. A stack of its own: hostile text nests deep. */
function* spoken(tree: Root, source: string, isCut: boolean): Generator<Stretch> {
  const stack: Node[] = [tree];
  const html = new OpenTags();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const from = node.position?.start.offset ?? 0;
    const to = node.position?.end.offset ?? 0;
    // Whatever the rest of a cut text would have made of its last paragraph.
    if (isCut && node.type === "paragraph" && source.slice(to).trim() === "") continue;
    if (node.type === "html") html.read(node.value);
    if (node.type === "text" && !html.silent) yield { text: source.slice(from, to), ...placeOf(source, from) };
    // An autolink (`<https://…>`) holds its own address as text.
    const isAutolink = node.type === "link" && source[from] === "<";
    if (node.type === "blockquote" || isAutolink || !("children" in node)) continue;
    stack.push(...said(node, source).toReversed());
  }
}

function placeOf(source: string, from: number): Omit<Stretch, "text"> {
  const line = source.slice(source.lastIndexOf("\n", from - 1) + 1, from);
  return { before: source.slice(0, from).slice(-1), startsLine: line.trim() === "" };
}

/** The children, without the line by which an e-mail introduces a quote ("On Monday, @dev-bot wrote:"). */
function said(parent: Parent, source: string): Node[] {
  const children: Node[] = parent.children;
  return children.filter((child, index) => {
    const introduces = child.type === "paragraph" && children[index + 1]?.type === "blockquote";
    return !introduces || !isAttribution(child, source);
  });
}

const isAttribution = ({ position }: Node, source: string): boolean =>
  /^On [^\n]*(?:\n[^\n]*){0,2}\bwrote:\s*$/.test(source.slice(position?.start.offset, position?.end.offset));

/** HTML in which text is a quote, or code. */
const silentTags = new Set(["blockquote", "q", "code", "pre", "kbd", "samp", "tt", "script", "style", "template"]);

class OpenTags {
  readonly #open = new Map<string, number>();

  get silent(): boolean {
    return [...this.#open.values()].some((count) => count > 0);
  }

  read(html: string): void {
    if (html.startsWith("<!--")) return;
    for (const [, slash, name = ""] of html.matchAll(/<(\/?)([a-z][a-z0-9-]*)/gi)) {
      const tag = name.toLowerCase();
      if (!silentTags.has(tag)) continue;
      this.#open.set(tag, Math.max(0, (this.#open.get(tag) ?? 0) + (slash === "/" ? -1 : 1)));
    }
  }
}
