import type { Credential } from "./protocol.ts";

/** RFC 9110, section 7.6.1, and the older ones that proxies still send. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const ownOfRequest = new Set([
  "accept-encoding",
  "authorization",
  "content-length",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "x-api-key",
]);

/** The body was decoded on its way, and the rest says whose account it is. */
const ownOfResponse = new Set([
  "anthropic-organization-id",
  "content-encoding",
  "content-length",
  "location",
  "set-cookie",
  "www-authenticate",
]);

const oauthBeta = "oauth-2025-04-20";

/** What goes to the model: what the agent sent, without any credential of its own, and with the real one. */
export function requestHeaders(sent: Headers, credential: Credential): Headers {
  const headers = passed(sent, ownOfRequest);
  headers.set("accept-encoding", "identity");
  if (credential.kind === "api-key") headers.set("x-api-key", credential.value);
  if (credential.kind === "oauth") {
    headers.set("authorization", `Bearer ${credential.value}`);
    const betas = (headers.get("anthropic-beta") ?? "").split(",").map((beta) => beta.trim());
    headers.set("anthropic-beta", [...new Set([...betas.filter(Boolean), oauthBeta])].join(","));
  }
  return headers;
}

/** What goes back to the agent. */
export function responseHeaders(got: Headers, credential: Credential): Headers {
  const headers = passed(got, ownOfResponse);
  for (const [name, value] of Array.from(headers)) if (value.includes(credential.value)) headers.delete(name);
  return headers;
}

function passed(from: Headers, dropped: ReadonlySet<string>): Headers {
  const named = new Set((from.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const headers = new Headers();
  for (const [name, value] of from) {
    if (hopByHop.has(name) || dropped.has(name) || named.has(name) || name.startsWith("x-forwarded-")) continue;
    headers.append(name, value);
  }
  return headers;
}
