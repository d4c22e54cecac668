import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import {
  type Query,
  query,
  type SDKUserMessage,
  type SessionStore,
  type SpawnedProcess,
  type SpawnOptions,
} from "@anthropic-ai/claude-agent-sdk";
import type { SessionId } from "../domain/ids.ts";
import type { Timers } from "../domain/timers.ts";
import type { AgentMessage, AgentRuntime, AgentSession, AgentStart } from "./agent-runtime.ts";
import { translate } from "./claude-messages.ts";
import { refusedTools } from "./claude-tools.ts";
import { boundedJson } from "./raw.ts";
import { createTail, type Tail } from "./tail.ts";

export type AgentProcess = SpawnedProcess & { stderr: Readable };

/** Where a lane's agent runs. The paths are those that it sees itself, inside its jail. */
export interface ClaudePlace {
  executable: string;
  cwd: string;
  /** The whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Must end the whole process tree when the process that it gives back is killed. */
  spawn: (options: SpawnOptions) => AgentProcess;
  timers: Timers;
  /** Where a session's transcript is kept; left out, it lies in the agent's own folder alone. */
  transcript?: (session: SessionId) => SessionTranscript;
}

/** The SDK's `SessionStore`, for the one session that it was asked for. */
export type SessionTranscript = Required<Pick<SessionStore, "append" | "load" | "listSubkeys">>;

/** What the credential is decides how the agent behaves: only with a subscription's does it report usage limits. */
export type CredentialKind = "api-key" | "oauth";

export interface ClaudeEnvironment {
  /** HOME inside the jail. */
  home: string;
  /** The broker's socket as the agent sees it. */
  brokerSocket: string;
  credential: CredentialKind;
}

/** The agent's environment: no secret in it, and an http base URL, without which the socket is tried with TLS and fails after 20 s. */
export function claudeEnvironment({ home, brokerSocket, credential }: ClaudeEnvironment): Record<string, string> {
  const placeholder = "held-by-the-broker";
  return {
    HOME: home,
    CLAUDE_CONFIG_DIR: `${home}/.claude`,
    ...(credential === "oauth" ? { CLAUDE_CODE_OAUTH_TOKEN: placeholder } : { ANTHROPIC_API_KEY: placeholder }),
    ANTHROPIC_UNIX_SOCKET: brokerSocket,
    ANTHROPIC_BASE_URL: "http://broker",
    API_TIMEOUT_MS: "300000",
    CLAUDE_CODE_MAX_RETRIES: "4",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
    CLAUDE_CODE_STARTUP_FAILURE_RESULTS: "1",
    DISABLE_TELEMETRY: "1",
  };
}

/** The Claude agent: one process of the native binary for each start, with nothing of the repository's settings loaded. */
export function claudeRuntime(place: ClaudePlace): AgentRuntime {
  return { start: (request) => startClaude(place, request) };
}

/**
 * What a person's terminal starts to go on with a session, inside the agent's jail: the same tools, rules and
 * instructions as the agent has in a run.
 */
export function claudeTerminal(
  executable: string,
  { model, systemPrompt, tools, resume }: Pick<AgentStart, "model" | "systemPrompt" | "tools"> & { resume: SessionId },
): string[] {
  const refused = refusedTools.filter((name) => !tools.includes(name));
  return [
    executable,
    `--resume=${resume}`,
    `--model=${model}`,
    `--tools=${tools.join(",")}`,
    `--allowedTools=${tools.join(",")}`,
    `--disallowedTools=${refused.join(",")}`,
    "--setting-sources=",
    "--strict-mcp-config",
    "--permission-mode=dontAsk",
    `--append-system-prompt=${systemPrompt}`,
  ];
}

function startClaude(place: ClaudePlace, request: AgentStart): AgentSession {
  const input = createInput();
  const child = createChild(place);
  // A new session's id is ours to choose, so that its transcript is bound to it from the first line on.
  const session = request.resume ?? (randomUUID() as string as SessionId);
  const live = query({ prompt: input.messages, options: optionsOf(place, request, session, child.spawn) });
  return {
    messages: messagesOf(live, request, session, child),
    push: input.push,
    end: input.end,
    interrupt() {
      // It answers only while the process can hear; whoever asked kills it after a while.
      live.interrupt().catch(() => {});
    },
    kill: child.kill,
    stderrTail: child.stderr.text,
    async [Symbol.asyncDispose]() {
      child.kill();
      live.close();
      await child.ended();
    },
  };
}

/** Far above what the largest transcript takes; without an end, a database that hangs would hold the lane for ever. */
const loadTimeoutMs = 60_000;

function optionsOf(place: ClaudePlace, request: AgentStart, session: SessionId, spawn: ClaudePlace["spawn"]) {
  const { model, systemPrompt, tools, maxTurns, resume } = request;
  return {
    cwd: place.cwd,
    env: { ...place.env },
    pathToClaudeCodeExecutable: place.executable,
    spawnClaudeCodeProcess: spawn,
    settingSources: [],
    strictMcpConfig: true,
    permissionMode: "dontAsk",
    permissionPrompts: "none",
    tools: [...tools],
    allowedTools: [...tools],
    disallowedTools: refusedTools.filter((name) => !tools.includes(name)),
    verbatimPrompts: true,
    model,
    systemPrompt: { type: "preset", preset: "claude_code", append: systemPrompt },
    ...(maxTurns === null ? {} : { maxTurns }),
    ...(resume === null ? { sessionId: session } : { resume }),
    ...(place.transcript === undefined
      ? {}
      : { sessionStore: place.transcript(session), sessionStoreFlush: "eager", loadTimeoutMs }),
  } satisfies NonNullable<Parameters<typeof query>[0]["options"]>;
}

async function* messagesOf(
  live: Query,
  { onRaw }: AgentStart,
  session: SessionId,
  child: Child,
): AsyncGenerator<AgentMessage> {
  let failed = false;
  try {
    for await (const raw of live) {
      onRaw(boundedJson(raw));
      for (const message of translate(raw)) {
        // Only the session that was asked for can be resumed; another name for it is forged.
        if (message.kind === "init" && message.session !== session) continue;
        if (message.kind === "init" || message.kind === "result") failed = message.kind === "result" && !message.ok;
        yield message;
      }
    }
  } catch (error) {
    await child.ended();
    const { errorClass } = error as { errorClass?: unknown };
    // The SDK throws once more what the result before it has said, or, where other messages followed that one, its exit code.
    if (errorClass !== "error_result" && !(failed && errorClass === "process_exited_nonzero")) throw error;
  }
}

interface Child {
  spawn: (options: SpawnOptions) => AgentProcess;
  kill: () => void;
  /** The process is gone and its stderr is read; at once where none was started. */
  ended: () => Promise<void>;
  stderr: Tail;
}

function createChild({ spawn, timers }: ClaudePlace): Child {
  let child: AgentProcess | null = null;
  let ended = Promise.resolve();
  const stderr = createTail(8_192);
  return {
    stderr,
    spawn(options) {
      child = spawn(options);
      child.stderr.on("data", (chunk: Buffer) => stderr.add(chunk));
      ended = endOf(child, timers);
      return child;
    },
    kill() {
      child?.kill("SIGKILL");
    },
    ended: () => ended,
  };
}

/** A grandchild outside a jail can hold the pipe open after the process is gone, so that is not waited for without end. */
async function endOf(child: AgentProcess, timers: Timers): Promise<void> {
  const read = new Promise<void>((resolve) => child.stderr.once("close", resolve));
  await new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const late = Promise.withResolvers<void>();
  const cancel = timers.after(1_000, late.resolve);
  await Promise.race([read, late.promise]);
  cancel();
}

function createInput() {
  const waiting: SDKUserMessage[] = [];
  let closed = false;
  let wake = Promise.withResolvers<void>();
  async function* messages(): AsyncGenerator<SDKUserMessage> {
    for (;;) {
      const message = waiting.shift();
      if (message !== undefined) {
        yield message;
        continue;
      }
      if (closed) return;
      await wake.promise;
      wake = Promise.withResolvers<void>();
    }
  }
  return {
    messages: messages(),
    push: (text: string) => {
      if (closed) throw new Error("The agent's input is closed: a message for it must wait for its next run.");
      const uuid = randomUUID();
      waiting.push({ type: "user", message: { role: "user", content: text }, parent_tool_use_id: null, uuid });
      wake.resolve();
      return uuid;
    },
    end: () => {
      closed = true;
      wake.resolve();
    },
  };
}
