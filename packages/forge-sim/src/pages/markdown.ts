import { raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

/** Markdown as HTML; written HTML comes out as text, and dangerous addresses are left out, as micromark does unasked. */
export function markdown(text: string): HtmlEscapedString {
  return raw(micromark(text, { extensions: [gfm()], htmlExtensions: [gfmHtml()] })) as HtmlEscapedString;
}
