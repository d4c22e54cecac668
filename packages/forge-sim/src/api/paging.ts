import { type ApiContext, ApiError } from "./base.ts";

const defaultLimit = 30;
const maxLimit = 50;

/** One page of a list, with `X-Total-Count` and `Link` as Forgejo sets them. */
export function page<T>(c: ApiContext, items: readonly T[]): T[] {
  const limit = Math.min(positive(c.req.query("limit")) ?? defaultLimit, maxLimit);
  const current = positive(c.req.query("page")) ?? 1;
  const last = Math.max(1, Math.ceil(items.length / limit));
  const links = [
    current < last && link(c, current + 1, "next"),
    current < last && link(c, last, "last"),
    current > 1 && link(c, 1, "first"),
    current > 1 && link(c, current - 1, "prev"),
  ].filter((one) => one !== false);
  if (links.length > 0) c.header("Link", links.join(","));
  total(c, items.length);
  return items.slice((current - 1) * limit, current * limit);
}

export function total(c: ApiContext, count: number): void {
  c.header("X-Total-Count", String(count));
  c.header("Access-Control-Expose-Headers", "X-Total-Count");
}

function link(c: ApiContext, number: number, rel: string): string {
  const url = new URL(c.req.url);
  url.searchParams.set("page", String(number));
  return `<${c.var.world.url}${url.pathname}${url.search}>; rel="${rel}"`;
}

function positive(text: string | undefined): number | undefined {
  const number = Number(text);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** Whether a thing's last change lies within the query's `since` and `before`, ends included. */
export function withinQuery(c: ApiContext): (item: { updatedAt: number }) => boolean {
  const since = instant(c, "since") ?? Number.NEGATIVE_INFINITY;
  const before = instant(c, "before") ?? Number.POSITIVE_INFINITY;
  return ({ updatedAt }) => updatedAt >= since && updatedAt <= before;
}

function instant(c: ApiContext, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined || text === "") return undefined;
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new ApiError(422, `parsing time ${JSON.stringify(text)} as RFC 3339: cannot parse`);
  // Forgejo compares whole seconds.
  return Math.floor(at / 1000) * 1000;
}
