import { z } from "zod";
import { answerStep, answerText } from "./answer.ts";
import { agentIdOf, type Conversations, conversationOf, openConversations } from "./conversations.ts";
import type { ActiveFault, FaultSource } from "./faults.ts";
import type { Gates } from "./gates.ts";
import type { Call, Handler } from "./listen.ts";
import { credentialsIn, type ModelRequest, type RequestLog, withoutSecrets } from "./log.ts";
import { type Decision, match, tail } from "./match.ts";
import { asPrompt, tokens } from "./prefix.ts";
import { answerReply, cutReply, errorReply, type Reply, reply } from "./reply.ts";
import type { Script } from "./script.ts";
import { readTurns } from "./transcript.ts";
import { type Answer, CountRequest, MessagesRequest } from "./wire.ts";

export interface RouteDeps {
  script: Script;
  log: RequestLog;
  gates: Gates;
  faults: FaultSource;
  apiKey: string | undefined;
  now: () => number;
}

/** For a client that has gone. */
const nobody = reply(499, "");

type Scripted = Extract<Decision, { kind: "scripted" }>;

/** One accepted request on its way to an answer. */
interface Exchange {
  request: MessagesRequest;
  entry: ModelRequest;
  /** Resolves when nobody waits for the answer any more. */
  gone: Promise<void>;
  measured: ReturnType<Conversations["measure"]>;
}

/** The routes of the Messages API that the agent binary uses; everything else is a 404 that says so. */
export function routes(deps: RouteDeps): Handler {
  const conversations = openConversations();
  const about = `model-sim: a script ("${deps.script.name}") behind a Messages API, and no model.\n`;
  return async (call) => {
    const { method, path } = call;
    if (method === "POST" && path === "/v1/messages") return messages(deps, conversations, call);
    if (method === "POST" && path === "/v1/messages/count_tokens") return countTokens(deps, call);
    const looks = method === "GET" || method === "HEAD";
    // Without CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC the agent binary warms its connection up with /api/hello.
    if (looks && (path === "/" || path === "/api/hello")) return reply(200, about);
    return errorReply(404, `model-sim has no ${method} ${path}`);
  };
}

async function messages(deps: RouteDeps, conversations: Conversations, call: Call): Promise<Reply> {
  const { json, parsed } = readBody(call.body, MessagesRequest);
  const entry = newEntry(deps, call.headers, json, parsed.data);
  if (!parsed.success) return refuse(deps, entry, 400, "unexpected", explain(parsed.error));
  if (wrongKey(deps, entry)) return refuse(deps, entry, 401, "refused", "invalid x-api-key");
  const request = parsed.data;
  const decision = match(deps.script, request, agentIdOf(call.headers));
  if (decision.kind === "unexpected") {
    Object.assign(entry, decision.place);
    const message = `model-sim, script "${deps.script.name}": no script expects this request: ${decision.why}`;
    return refuse(deps, entry, 400, "unexpected", `${message}\nlast messages:\n${tail(request)}`);
  }
  const title = decision.kind === "side" && decision.rule === "title";
  const measured = conversations.measure(title ? `${entry.conversation}#title` : entry.conversation, request);
  entry.prefixShare = measured.use.share;
  const exchange = { request, entry, measured, gone: call.gone };
  if (decision.kind === "scripted") {
    Object.assign(entry, decision.place);
    deps.log.add(entry);
    return follow(deps, exchange, decision);
  }
  entry.kind = decision.rule;
  deps.log.add(entry);
  return send(deps.log, exchange, answerText(decision.text, request.model, inputUsage(exchange)));
}

async function follow(deps: RouteDeps, exchange: Exchange, { place, step, spoken }: Scripted): Promise<Reply> {
  const { request, entry, gone } = exchange;
  let left = false;
  const leaving = gone.then(() => {
    left = true;
  });
  const answer = () => answerStep(step, spoken, request.model, inputUsage(exchange));
  const next = deps.faults.takeNext();
  if (next?.kind === "delay") await Promise.race([Bun.sleep(next.delayMs), leaving]);
  if (next && next.kind !== "delay") return fail(deps.log, exchange, next, answer());
  if (step.gate !== undefined) await deps.gates.pass(step.gate, entry, leaving);
  if (step.delay_ms !== undefined) await Promise.race([Bun.sleep(step.delay_ms), leaving]);
  if (left) {
    deps.log.settle(entry, "gone");
    return nobody;
  }
  const fault = deps.faults.takeScripted(place, step.fault);
  return fault ? fail(deps.log, exchange, fault, answer()) : send(deps.log, exchange, answer());
}

function send(log: RequestLog, { entry, measured, request }: Exchange, answer: Answer): Reply {
  measured.keep();
  log.settle(entry, "answered", 200, answer.usage);
  return answerReply(answer, request.stream ?? false);
}

async function fail(
  log: RequestLog,
  { entry, gone, request }: Exchange,
  fault: ActiveFault,
  answer: Answer,
): Promise<Reply> {
  switch (fault.kind) {
    case "status":
      log.settle(entry, "error", fault.status);
      return errorReply(fault.status, fault.message, fault.headers);
    case "cut":
      log.settle(entry, "cut", 200);
      return cutReply(answer, request.stream ?? false);
    case "silence":
      log.settle(entry, "silent");
      await gone;
      return nobody;
    case "delay":
      throw new Error("a delay is no failure");
    default:
      return fault satisfies never;
  }
}

async function countTokens(deps: RouteDeps, call: Call): Promise<Reply> {
  const { json, parsed } = readBody(call.body, CountRequest);
  const entry = newEntry(deps, call.headers, json, parsed.data);
  if (!parsed.success) return refuse(deps, entry, 400, "unexpected", explain(parsed.error));
  if (wrongKey(deps, entry)) return refuse(deps, entry, 401, "refused", "invalid x-api-key");
  entry.kind = "count_tokens";
  entry.outcome = "answered";
  entry.status = 200;
  deps.log.add(entry);
  return reply(200, { input_tokens: tokens(asPrompt(parsed.data).bytes.length) });
}

function refuse(
  deps: RouteDeps,
  entry: ModelRequest,
  status: 400 | 401,
  kind: "unexpected" | "refused",
  why: string,
): Reply {
  Object.assign(entry, { status, kind, why, outcome: "error" });
  deps.log.add(entry);
  return errorReply(status, why);
}

function readBody<Schema extends z.ZodType>(text: string, schema: Schema) {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { json, parsed: schema.safeParse(json) };
}

function newEntry(deps: RouteDeps, headers: Headers, body: unknown, request: CountRequest | undefined): ModelRequest {
  const turn = readTurns(request?.messages ?? []).at(-1);
  return {
    number: deps.log.all().length + 1,
    at: deps.now(),
    kind: "scripted",
    conversation: request ? conversationOf(headers, request) : "unreadable",
    prompt: turn?.prompts.join("\n\n") ?? "",
    folded: turn?.folded ?? [],
    retry: Number(headers.get("x-stainless-retry-count") ?? 0),
    headers: withoutSecrets(headers),
    credentials: credentialsIn(headers),
    body,
    prefixShare: undefined,
    usage: undefined,
    outcome: "pending",
    status: undefined,
    why: undefined,
  };
}

function wrongKey({ apiKey }: RouteDeps, { credentials }: ModelRequest): boolean {
  if (apiKey === undefined) return false;
  return credentials.apiKey !== apiKey && credentials.authorization !== `Bearer ${apiKey}`;
}

function inputUsage({ measured: { use } }: Exchange) {
  return {
    input_tokens: use.freshTokens,
    cache_creation_input_tokens: use.createdTokens,
    cache_read_input_tokens: use.readTokens,
  };
}

function explain(error: z.ZodError): string {
  return error.issues.map((issue) => `${z.core.toDotPath(issue.path) || "body"}: ${issue.message}`).join("; ");
}
