import { raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { micromark, type Options } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

/** These and nothing with attributes, so that what a forge shows folded is folded here. */
const harmless = /&lt;(\/?(?:details|summary|br|sub|sup|kbd))\s*\/?&gt;/g;
const comments = /&lt;!--[\s\S]*?--&gt;/g;

/** Takes HTML that micromark has escaped already: comments are hidden, as on a forge, and a few tags let through. */
const soften = (escaped: string): string => escaped.replace(comments, "").replace(harmless, "<$1>");

type HtmlExtension = NonNullable<Options["htmlExtensions"]>[number];

const writtenHtml: HtmlExtension = {
  enter: {
    htmlFlow() {
      this.lineEndingIfNeeded();
      this.buffer();
    },
    htmlText() {
      this.buffer();
    },
  },
  exit: {
    htmlFlow() {
      this.raw(soften(this.resume()));
    },
    htmlText() {
      this.raw(soften(this.resume()));
    },
  },
};

/** `#12` in running text leads to that number, as on a forge; in code and links it stays as it is. */
function linkNumbers(html: string, repoPath: string): string {
  let closed = 0;
  return html
    .split(/(<[^>]*>)/)
    .map((part) => {
      if (/^<(?:a|code|pre)[\s>]/.test(part)) closed += 1;
      if (/^<\/(?:a|code|pre)>/.test(part)) closed -= 1;
      if (part.startsWith("<") || closed > 0) return part;
      return part.replace(/(^|[\s(:])#(\d+)\b/g, `$1<a href="${repoPath}/issues/$2">#$2</a>`);
    })
    .join("");
}

/** Markdown as HTML; written HTML comes out as text, and dangerous addresses are left out, as micromark does unasked. */
export function markdown(text: string, repoPath: string): HtmlEscapedString {
  const html = micromark(text, { extensions: [gfm()], htmlExtensions: [gfmHtml(), writtenHtml] });
  return raw(linkNumbers(html, repoPath));
}
