/** Rows as they lie in the database: times in ms since the epoch, JSON and ids as text, flags as 0 and 1. */
export interface Schema {
  deliveries: {
    id: string;
    forge: string;
    hook_id: string;
    uuid: string;
    event: string;
    event_type: string;
    /** zstd. */
    body: Uint8Array;
    received_at: number;
    state: string;
    reason: string | null;
  };
  threads: {
    id: string;
    forge: string;
    repository_id: number;
    repository: string;
    number: number;
    kind: string;
    created_at: number;
    /** Since when its work is over; null while it goes on. */
    archived_at: number | null;
  };
  thread_refs: { forge: string; repository_id: number; number: number; thread_id: string };
  snapshots: { forge: string; repository_id: number; number: number; updated_at: number; snapshot: string };
  events: {
    id: string;
    forge: string;
    repository_id: number;
    repository: string;
    semantic_key: string;
    thread_id: string | null;
    kind: string;
    actor_id: number;
    actor_login: string;
    received_at: number;
    delivery_id: string | null;
    body: string;
    decided_at: number | null;
  };
  event_facts: { event_id: string; facts: string };
  decisions: {
    event_id: string;
    position: number;
    flow: string;
    matched: number;
    why: string;
    saw: string;
    dispatches: string | null;
  };
  lane_events: { lane: string; event_id: string; offered_run: string | null; consumed_at: number | null };
  tasks: {
    id: string;
    lane: string;
    agent_type: string;
    thread_id: string;
    skill: string;
    state: string;
    attempts: number;
    next_due_at: number;
    cause: string;
    run_id: string | null;
    reason: string | null;
    created_at: number;
    updated_at: number;
    /** Until when it may be put off by more of the same; null where it starts at once. */
    gathers_until: number | null;
    /** Why its run is to be stopped. */
    stop: string | null;
  };
  lane_resets: { lane: string; session_id: string | null; asked_by: string; asked_at: number };
  runs: RunRow;
  run_stream: { run_id: string; seq: number; at: number; entry: string };
  effects: EffectRow;
  sessions: {
    lane: string;
    session_id: string;
    last_used_at: number;
    /** From when the age counts; null while it is paused. */
    aged_from: number | null;
    paused_age_ms: number | null;
    /** JSON: what the session has cost so far, as its agent counts on. */
    totals: string | null;
    /** Since when its thread is over; the age then stands still. */
    archived_at: number | null;
  };
  lane_holds: { lane: string; kind: string; held_at: number };
  session_resume_failures: { reason: string; count: number };
  transcripts: {
    lane: string;
    session_id: string;
    entries: number;
    /** Of the entries as JSON text. */
    bytes: number;
    last_at: number;
    /** Since when nothing more is stored; null while there is room. */
    full_at: number | null;
  };
  transcript_entries: {
    lane: string;
    session_id: string;
    /** Empty for the session's own lines, else the sub-agent's name in the SDK's words. */
    subpath: string;
    entry_key: string;
    seq: number;
    /** JSON, as zstd where that is shorter. */
    entry: Uint8Array;
  };
  migrations: { name: string; applied_at: number };
}

export interface RunRow {
  id: string;
  task_id: string;
  lane: string;
  thread_id: string;
  agent_type: string;
  skill: string;
  attempt: number;
  state: string;
  session_id: string | null;
  start: string | null;
  branch: string;
  head_before: string | null;
  head_after: string | null;
  /** JSON. */
  base: string | null;
  commits: number;
  pull_request: number | null;
  report: string | null;
  failure: string | null;
  started_at: number;
  preparing_at: number | null;
  starting_at: number | null;
  running_at: number | null;
  publishing_at: number | null;
  reporting_at: number | null;
  finished_at: number | null;
}

export interface EffectRow {
  id: string;
  key: string;
  forge: string;
  author: string;
  kind: string;
  repository_id: number;
  thread_id: string;
  run_id: string | null;
  body: string;
  preconditions: string;
  state: string;
  attempts: number;
  next_attempt_at: number;
  result: string | null;
  error: string | null;
  created_at: number;
}
