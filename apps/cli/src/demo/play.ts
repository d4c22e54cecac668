import { Status } from "@claude-hooks/api";
import { cast, comment, issue } from "./cast.ts";
import { type Check, judge } from "./checks.ts";
import { tellEvent } from "./event.ts";
import { find } from "./findings.ts";
import { type RunSeen, tellRun } from "./run.ts";
import type { Stage } from "./stage.ts";

/** Everything that came of the demo. */
export interface Outcome {
  ok: boolean;
  live: boolean;
  issue: { number: number; url: string };
  pull_request: { number: number; url: string; head: string };
  /** Milliseconds since the start. */
  times_ms: {
    service_up: number;
    issue: number;
    pull_request: number;
    comment: number;
    second_commit: number;
    end: number;
  };
  runs: {
    id: string;
    session: string | null;
    start: string | null;
    turns: number;
    cost_usd: number;
    took_ms: number;
  }[];
  deliveries: { sent: number; accepted: number };
  model_requests: number | null;
  checks: Check[];
}

/** The whole story, from the issue to the last check. */
export async function play(stage: Stage): Promise<Outcome> {
  const { world, story } = stage;
  const service_up = story.elapsed;
  const { forge, model } = world;
  const person = forge.as(cast.person);
  const to = { owner: cast.owner, repo: cast.repository };

  story.heading("An issue is assigned to the agent");
  const opened = await person.createIssue({ ...to, ...issue, assignees: [cast.agent] });
  const issue_ms = story.elapsed;
  story.step(cast.person, `opens issue #${opened.number} and assigns it to ${cast.agent}: ${issue.title}`);
  story.link(opened.html_url);
  await tellEvent(stage, 0);
  const first = await tellRun(stage, opened.number, { runs: [], session: null, head: undefined });

  story.heading("A comment on the pull request resumes the session");
  await forge.settled();
  const from = forge.deliveries().length;
  await person.comment({ ...to, number: first.pull.number, body: comment });
  const comment_ms = story.elapsed;
  story.step(cast.person, `comments on #${first.pull.number}: ${comment}`);
  await tellEvent(stage, from);
  const second = await tellRun(stage, opened.number, {
    runs: [first.run.id],
    session: first.run.session,
    head: first.pull.head.sha,
  });

  await forge.settled();
  const checks = judge(await find(stage, opened.number));
  const deliveries = forge.deliveries();
  return {
    ok: checks.every(({ ok }) => ok),
    live: model === undefined,
    issue: { number: opened.number, url: opened.html_url },
    pull_request: { number: second.pull.number, url: second.pull.html_url, head: second.pull.head.sha },
    times_ms: {
      service_up,
      issue: issue_ms,
      pull_request: first.pull_request_ms,
      comment: comment_ms,
      second_commit: second.branch_ms,
      end: story.elapsed,
    },
    runs: [first, second].map(runFigures),
    deliveries: { sent: deliveries.length, accepted: deliveries.filter(({ status }) => status === 202).length },
    model_requests: model === undefined ? null : model.requests().length,
    checks,
  };
}

function runFigures({ run }: RunSeen): Outcome["runs"][number] {
  const { id, session, start, turns, cost_usd, started_at, finished_at } = run;
  return {
    id,
    session,
    start,
    turns: turns ?? 0,
    cost_usd: cost_usd ?? 0,
    took_ms: (finished_at ?? started_at) - started_at,
  };
}

/** What the service says of itself and of its jail, once it is up. */
export async function tellService({ api, story, world }: Stage, pid: number): Promise<void> {
  const status = await api.get("/status", Status);
  story.step("service", `listens on ${world.url} (process ${pid})`);
  story.detail(`the jail holds (${status.jail["kind"] ?? "?"}), ${status.jail["reason"] ?? ""}`);
}
