import type { ColumnTypes, Migration } from "./migrate.ts";

const deliveries = ({ key, big, bytes, strict }: ColumnTypes): string[] => [
  `create table deliveries (
    id ${key} primary key,
    forge ${key} not null,
    hook_id ${key} not null,
    uuid ${key} not null,
    event text not null,
    event_type text not null,
    body ${bytes} not null,
    received_at ${big} not null,
    state text not null check (state in ('received', 'normalised', 'ignored', 'failed')),
    reason text,
    unique (forge, hook_id, uuid)
  ) ${strict}`,
  `create index deliveries_by_state on deliveries (state, id)`,
];

const threads = ({ key, big, strict }: ColumnTypes): string[] => [
  `create table threads (
    id ${key} primary key,
    forge ${key} not null,
    repository_id ${big} not null,
    repository text not null,
    number ${big} not null,
    kind text not null check (kind in ('issue', 'pull_request')),
    created_at ${big} not null,
    unique (forge, repository_id, number)
  ) ${strict}`,
  `create table thread_refs (
    forge ${key} not null,
    repository_id ${big} not null,
    number ${big} not null,
    thread_id ${key} not null references threads (id),
    primary key (forge, repository_id, number)
  ) ${strict}`,
  `create index thread_refs_by_thread on thread_refs (thread_id)`,
  `create table snapshots (
    forge ${key} not null,
    repository_id ${big} not null,
    number ${big} not null,
    updated_at ${big} not null,
    snapshot text not null,
    primary key (forge, repository_id, number)
  ) ${strict}`,
];

const events = ({ key, big, strict }: ColumnTypes): string[] => [
  `create table events (
    id ${key} primary key,
    forge ${key} not null,
    repository_id ${big} not null,
    repository text not null,
    semantic_key ${key} not null,
    thread_id ${key} references threads (id),
    kind text not null,
    actor_id ${big} not null,
    actor_login text not null,
    received_at ${big} not null,
    delivery_id ${key} references deliveries (id),
    body text not null,
    decided_at ${big},
    unique (forge, repository_id, semantic_key)
  ) ${strict}`,
  `create index events_by_thread on events (thread_id, id)`,
  `create index events_by_delivery on events (delivery_id)`,
  `create index events_undecided on events (id) where decided_at is null`,
  `create table event_facts (
    event_id ${key} primary key references events (id),
    facts text not null
  ) ${strict}`,
  `create table decisions (
    event_id ${key} not null references events (id),
    position integer not null,
    flow text not null,
    matched integer not null check (matched in (0, 1)),
    why text not null,
    saw text not null,
    dispatches text,
    primary key (event_id, position)
  ) ${strict}`,
  `create table lane_events (
    lane ${key} not null,
    event_id ${key} not null references events (id),
    offered_run ${key},
    consumed_at ${big},
    primary key (lane, event_id)
  ) ${strict}`,
  `create index lane_events_offered on lane_events (offered_run) where consumed_at is null`,
];

const work = ({ key, big, strict }: ColumnTypes): string[] => [
  `create table tasks (
    id ${key} primary key,
    lane ${key} not null,
    agent_type text not null,
    thread_id ${key} not null references threads (id),
    skill text not null,
    state text not null check (state in ('queued', 'running', 'parked', 'succeeded', 'failed', 'cancelled')),
    attempts integer not null,
    next_due_at ${big} not null,
    cause ${key} not null references events (id),
    run_id ${key},
    reason text,
    created_at ${big} not null,
    updated_at ${big} not null
  ) ${strict}`,
  `create unique index tasks_waiting on tasks (lane) where state in ('queued', 'parked')`,
  `create unique index tasks_running on tasks (lane) where state = 'running'`,
  `create index tasks_due on tasks (next_due_at, id) where state in ('queued', 'parked')`,
  `create table runs (
    id ${key} primary key,
    task_id ${key} not null references tasks (id),
    lane ${key} not null,
    thread_id ${key} not null references threads (id),
    agent_type text not null,
    skill text not null,
    attempt integer not null,
    state text not null check (state in ('preparing', 'starting', 'running', 'publishing', 'reporting', 'finished')),
    session_id text,
    start text,
    branch text not null,
    head_before text,
    head_after text,
    base text,
    commits integer not null,
    pull_request ${big},
    report text,
    failure text,
    started_at ${big} not null,
    preparing_at ${big},
    starting_at ${big},
    running_at ${big},
    publishing_at ${big},
    reporting_at ${big},
    finished_at ${big}
  ) ${strict}`,
  `create index runs_by_task on runs (task_id)`,
  `create index runs_by_lane on runs (lane, id)`,
  `create index runs_by_thread on runs (thread_id, id)`,
  `create index runs_unfinished on runs (id) where state <> 'finished'`,
  `create table run_stream (
    run_id ${key} not null references runs (id),
    seq integer not null,
    at ${big} not null,
    entry text not null,
    primary key (run_id, seq)
  ) ${strict}`,
];

const effects = ({ key, big, strict }: ColumnTypes): string[] => [
  `create table effects (
    id ${key} primary key,
    key ${key} not null unique,
    forge ${key} not null,
    author text not null,
    kind text not null,
    repository_id ${big} not null,
    thread_id ${key} not null references threads (id),
    run_id ${key} references runs (id),
    body text not null,
    preconditions text not null,
    state text not null check (state in ('pending', 'sending', 'done', 'superseded', 'parked')),
    attempts integer not null,
    next_attempt_at ${big} not null,
    result text,
    error text,
    created_at ${big} not null
  ) ${strict}`,
  `create index effects_unfinished on effects (thread_id, id) where state in ('pending', 'sending')`,
  `create index effects_by_thread on effects (thread_id, id)`,
  `create index effects_by_run on effects (run_id)`,
  `create index effects_parked on effects (id) where state = 'parked'`,
];

const sessions = ({ key, big, strict }: ColumnTypes): string[] => [
  `create table sessions (
    lane ${key} primary key,
    session_id text not null,
    last_used_at ${big} not null,
    aged_from ${big},
    paused_age_ms ${big},
    totals text,
    check ((aged_from is null) <> (paused_age_ms is null))
  ) ${strict}`,
  `create index sessions_by_age on sessions (aged_from)`,
  `create index sessions_by_paused_age on sessions (paused_age_ms)`,
  `create table session_resume_failures (reason ${key} primary key, count ${big} not null) ${strict}`,
];

const transcripts = ({ key, big, bytes, strict }: ColumnTypes): string[] => [
  `create table transcripts (
    lane ${key} not null,
    session_id ${key} not null,
    entries ${big} not null,
    bytes ${big} not null,
    last_at ${big} not null,
    full_at ${big},
    primary key (lane, session_id)
  ) ${strict}`,
  `create table transcript_entries (
    lane ${key} not null,
    session_id ${key} not null,
    subpath ${key} not null,
    entry_key ${key} not null,
    seq ${big} not null,
    entry ${bytes} not null,
    primary key (lane, session_id, subpath, entry_key)
  ) ${strict}`,
  `create index transcript_entries_in_order on transcript_entries (lane, session_id, subpath, seq)`,
];

const laneEnds = ({ key, big, strict }: ColumnTypes): string[] => [
  `alter table threads add column archived_at ${big}`,
  `alter table sessions add column archived_at ${big}`,
  `create index sessions_archived on sessions (archived_at) where archived_at is not null`,
  `create table lane_holds (
    lane ${key} primary key,
    kind text not null check (kind in ('takeover', 'tidying')),
    held_at ${big} not null
  ) ${strict}`,
];

const inbox = ({ key, big, strict }: ColumnTypes): string[] => [
  `alter table tasks add column gathers_until ${big}`,
  `alter table tasks add column stop text`,
  `create index tasks_by_thread on tasks (thread_id)`,
  `create table lane_resets (
    lane ${key} primary key,
    session_id text,
    asked_by text not null,
    asked_at ${big} not null
  ) ${strict}`,
];

/** In order, and only added to: what has run somewhere is never changed. */
export const migrations: readonly Migration[] = [
  {
    name: "0001-start",
    statements: (types) =>
      [deliveries, threads, events, work, effects, sessions, transcripts].flatMap((part) => part(types)),
  },
  { name: "0002-lane-ends", statements: laneEnds },
  { name: "0003-inbox", statements: inbox },
];
