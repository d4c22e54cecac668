import { Counter, Gauge, Registry } from "prom-client";

/** What `/metrics` tells. Never labelled by issue, thread or run: their number has no bound. */
export interface Metrics {
  deliveries(result: "accepted" | "duplicate" | "refused"): void;
  runFinished(agent: string, outcome: string): void;
  sessionStart(outcome: string): void;
  resumeFailure(reason: string): void;
  /** Lines of a transcript could not be stored this time, or were refused. */
  transcriptFailure(kind: "not-stored" | "forged" | "full"): void;
  effect(kind: string, state: string): void;
  modelRequest(status: number): void;
  /** Prometheus's text format 0.0.4. */
  render(): Promise<{ contentType: string; text: string }>;
}

export interface MetricSources {
  runningRuns: () => Promise<number>;
  queuedTasks: () => Promise<number>;
  parkedEffects: () => Promise<number>;
  liveSessions: () => Promise<number>;
  transcriptBytes: () => Promise<number>;
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string, read: () => Promise<number>) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await read());
      },
    });
  const deliveries = counter("claude_deliveries_total", "Webhook deliveries by result", "result");
  const runs = counter("claude_runs_total", "Finished runs by agent type and outcome", "agent", "outcome");
  const starts = counter("claude_session_starts_total", "Session starts by outcome", "outcome");
  const resumeFailures = counter(
    "claude_session_resume_failures_total",
    "Sessions that could not be resumed",
    "reason",
  );
  const effects = counter("claude_effects_total", "Writes to the forge by kind and final state", "kind", "state");
  const requests = counter("claude_model_requests_total", "Requests to the model by status", "status");
  gauge("claude_runs_running", "Runs under way", sources.runningRuns);
  gauge("claude_tasks_queued", "Tasks that wait for their run", sources.queuedTasks);
  gauge("claude_effects_parked", "Writes to the forge that were given up and wait for a person", sources.parkedEffects);
  gauge("claude_sessions_live", "Sessions that the next event of their lane resumes", sources.liveSessions);
  gauge("claude_transcript_bytes", "Bytes of all stored transcripts, as JSON text", sources.transcriptBytes);
  const transcripts = counter(
    "claude_transcript_failures_total",
    "Writes to transcripts that failed and are tried again, were refused as forged, or met a full transcript",
    "kind",
  );
  return {
    deliveries: (result) => deliveries.inc({ result }),
    runFinished: (agent, outcome) => runs.inc({ agent, outcome }),
    sessionStart: (outcome) => starts.inc({ outcome }),
    resumeFailure: (reason) => resumeFailures.inc({ reason }),
    transcriptFailure: (kind) => transcripts.inc({ kind }),
    effect: (kind, state) => effects.inc({ kind, state }),
    modelRequest: (status) => requests.inc({ status: String(status) }),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
