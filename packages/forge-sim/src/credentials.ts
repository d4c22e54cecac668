import type { TokenRecord, UserRecord } from "./state/records.ts";
import type { Store } from "./state/store.ts";

export interface Credentials {
  user: UserRecord;
  token: TokenRecord;
}

/** `none`: nothing was shown. `bad`: what was shown is no token of ours. */
export type Identity = Credentials | "none" | "bad";

/** `token X`, `Bearer X`, or Basic with the token as password or, as some clients have it, as user name. */
export function identify(store: Store, header: string | undefined | null): Identity {
  if (!header) return "none";
  const [scheme = "", value = ""] = header.trim().split(/\s+/, 2);
  const shown = candidates(scheme.toLowerCase(), value);
  for (const candidate of shown) {
    const token = store.tokens.get(candidate);
    if (token) return { token, user: store.userById(token.userId) };
  }
  return "bad";
}

function candidates(scheme: string, value: string): string[] {
  if (scheme === "token" || scheme === "bearer") return [value];
  if (scheme !== "basic") return [];
  const decoded = Buffer.from(value, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon < 0 ? [decoded] : [decoded.slice(colon + 1), decoded.slice(0, colon)];
}
