/** A file or folder of this machine, and where it is seen inside the jail. */
export interface Mount {
  from: string;
  to: string;
}

export interface JailLimits {
  /** Processes and threads of one jail. */
  processes: number;
  /** Of one file, bytes. */
  fileBytes: number;
  /** Processor time of one process, seconds. */
  cpuSeconds: number;
  openFiles: number;
  /** Of /tmp and of /dev/shm each, bytes: they are held in memory. */
  tmpBytes: number;
}

export const defaultLimits: JailLimits = {
  processes: 512,
  fileBytes: 1_073_741_824,
  cpuSeconds: 3_600,
  openFiles: 4_096,
  tmpBytes: 268_435_456,
};

/** Paths are absolute. */
export interface JailSettings {
  stateDir: string;
  /** The service's own TMPDIR, in which the Agent SDK makes its `claude-resume-<uuid>` folders. */
  tmpDir: string;
  /** The `claude` binary as installed; a copy that only can be executed is what runs. */
  agentBinary: string;
  /** Used as root only: `base` is the group of all lanes, and lane slots get the `count` ids after it. */
  ids: { base: number; count: number };
  limits: JailLimits;
  /** Toolchains: an executable or a folder, `to` at or below /opt/tools; a folder's `bin`, or an executable's folder, is on PATH. */
  tools: readonly Mount[];
  /** Further things to see read-only, as certificates or caches; the same rules as for bwrap's --ro-bind. */
  readOnly: readonly Mount[];
}

export type JailErrorKind =
  | "program-missing"
  | "program-too-old"
  | "agent-binary-missing"
  | "folder-closed"
  | "folder-owner"
  | "bad-setting"
  | "namespaces-refused"
  | "self-test-failed"
  | "no-free-id"
  | "bad-request";

/** The message says what is wrong, where, and what to do. */
export class JailError extends Error {
  override readonly name = "JailError";
  readonly kind: JailErrorKind;

  constructor(kind: JailErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
