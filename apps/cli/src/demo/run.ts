import { RunDetail, RunList, StreamEntry } from "@claude-hooks/api";
import type { ApiComment, ApiCommit, ApiPullRequest } from "@claude-hooks/forge-sim";
import { ClientError } from "../client.ts";
import { took } from "../text.ts";
import { seen } from "./agent-lines.ts";
import { cast } from "./cast.ts";
import { DemoFailure } from "./failure.ts";
import type { Stage } from "./stage.ts";

/** What one run brought, with the milliseconds since the demo's start at which it was seen. */
export interface RunSeen {
  run: RunDetail;
  pull: ApiPullRequest;
  started_ms: number;
  branch_ms: number;
  pull_request_ms: number;
  receipt_ms: number;
}

export interface Before {
  /** Ids of the runs that were there. */
  runs: readonly string[];
  session: string | null;
  /** Undefined where there was no branch. */
  head: string | undefined;
}

/** Marks a comment of the service's as a receipt. */
export const receiptMark = "<!-- claude-hooks:receipt";

/** Tells of the next run of an issue, from its start to its receipt. */
export async function tellRun(stage: Stage, number: number, before: Before): Promise<RunSeen> {
  const { story, watch, api } = stage;
  const started = await watch.until("a run to start", async () => {
    const { runs } = await api.get("/runs?limit=50", RunList);
    return runs.find(({ id, thread }) => thread === `${cast.full}#${number}` && !before.runs.includes(id));
  });
  const started_ms = story.elapsed;
  story.step("run", `${started.lane}, skill ${started.skill}, in its jail`, { at: started_ms });
  const agent = Promise.withResolvers<void>();
  const [, work] = await Promise.all([
    follow(stage, started.id, before, agent.resolve).finally(agent.resolve),
    tellWork(stage, { id: started.id, number, before, agentDone: agent.promise }),
  ]);
  return { ...work, started_ms };
}

/** The agent's stream, which the service may cut while an agent thinks; `done` is called at the agent's last word. */
async function follow({ api, story, watch }: Stage, id: string, before: Before, done: () => void): Promise<void> {
  let last = 0;
  await watch.until("the agent to end its work", async () => {
    try {
      for await (const data of api.stream(`/runs/${id}/stream`, last)) {
        watch.signal.throwIfAborted();
        const entry = StreamEntry.parse(JSON.parse(data));
        last = entry.seq;
        for (const sight of seen(entry.message)) {
          if (sight.kind === "ended") done();
          else if (sight.kind === "session") story.step("session", sessionText(sight.id, before.session));
          else tellAgent(story, sight);
        }
      }
    } catch (error) {
      watch.signal.throwIfAborted();
      if (error instanceof ClientError) throw error;
    }
    const { finished_at } = await api.get(`/runs/${id}`, RunDetail);
    return finished_at === null ? undefined : true;
  });
}

function sessionText(id: string, before: string | null): string {
  if (before === null) return `${id}, fresh`;
  return id === before ? `${id}, resumed: the same as before` : `${id}, and not the one before (${before})`;
}

function tellAgent(story: Stage["story"], { kind, text }: { kind: "says" | "does" | "finds"; text: string }): void {
  switch (kind) {
    case "says":
      return story.step("agent", text);
    case "does":
      return story.step("", text, { quiet: true });
    case "finds":
      return story.step("", `  → ${text}`, { quiet: true });
    default:
      return kind satisfies never;
  }
}

interface Work {
  id: string;
  number: number;
  before: Before;
  /** Nothing that comes of the work is told before the agent's last word, however late that is read. */
  agentDone: Promise<void>;
}

async function tellWork(stage: Stage, work: Work): Promise<Omit<RunSeen, "started_ms">> {
  const { world, story, watch } = stage;
  const branch = `dev/${work.number}`;
  const head = await untilDone(stage, work, `branch ${branch} on the forge`, () => {
    const now = world.forge.branchHead(cast.full, branch);
    return now === work.before.head ? undefined : now;
  });
  const branch_ms = story.elapsed;
  await work.agentDone;
  for (const { sha, commit } of await newCommits(stage, head, work.before.head))
    story.step("commit", `${sha.slice(0, 7)} ${subject(commit.message)}`, { at: branch_ms });
  story.step("branch", `${branch} pushed`, { at: branch_ms });

  const pull = await untilDone(stage, work, "the pull request", () =>
    world.forge.pullRequests(cast.full).find((one) => one.head.sha === head),
  );
  const pull_request_ms = story.elapsed;
  const isNew = work.before.head === undefined;
  story.step("forge", `pull request #${pull.number} ${isNew ? `opened by ${pull.user.login}` : "has the new commit"}`, {
    at: pull_request_ms,
  });
  story.link(pull.html_url);

  const run = await watch.until("the run to end and all that it wrote to reach the forge", async () => {
    const now = await detail(stage, work.id);
    if (now.finished_at === null) return undefined;
    return now.effects.every(({ state }) => state === "done" || state === "superseded") ? now : undefined;
  });
  refuseFailure(run);
  const receipt = await watch.until("the receipt", () => receipts(stage, work.number).at(-1));
  story.step("receipt", receiptText(run));
  story.link(receipt.html_url);
  return { run, pull, branch_ms, pull_request_ms, receipt_ms: story.elapsed };
}

/** Waits for something that the run brings, and not on when the run has failed. */
async function untilDone<T>(stage: Stage, work: Work, what: string, look: () => T | undefined): Promise<T> {
  return await stage.watch.until(what, async () => {
    const found = look();
    if (found === undefined) refuseFailure(await detail(stage, work.id));
    return found;
  });
}

const detail = ({ api }: Stage, id: string): Promise<RunDetail> => api.get(`/runs/${id}`, RunDetail);

function refuseFailure({ outcome, failure }: RunDetail): void {
  if (outcome === "failed") throw new DemoFailure(`the run failed: ${failure ?? "it does not say why"}`);
}

/** Oldest first. */
async function newCommits({ world }: Stage, head: string, before: string | undefined): Promise<ApiCommit[]> {
  const person = world.forge.as(cast.person);
  const commits = await person.request<ApiCommit[]>("GET", `/repos/${cast.full}/commits?sha=${head}&limit=50`);
  const known = before ?? world.forge.branchHead(cast.full, "main");
  const end = commits.findIndex(({ sha }) => sha === known);
  return commits.slice(0, end < 0 ? commits.length : end).toReversed();
}

/** The service's receipts on an issue, oldest first. */
function receipts({ world }: Pick<Stage, "world">, number: number): ApiComment[] {
  return world.forge.comments(cast.full, number).filter(({ body }) => body.includes(receiptMark));
}

const subject = (message: string): string => message.split("\n", 1)[0] ?? "";

function receiptText({ turns, cost_usd, started_at, finished_at, start }: RunDetail): string {
  const parts = [
    start,
    turns === null ? null : `${turns} turns`,
    finished_at === null ? null : took(finished_at - started_at),
    cost_usd === null ? null : `$${cost_usd.toFixed(4)}`,
  ];
  return parts.filter((part) => part !== null).join(", ");
}
