/** What a repository gives to a collaborator. */
export type AccessName = "read" | "write" | "admin";

export interface UserOption {
  login: string;
  fullName?: string;
  email?: string;
  /** Site administrator: sees and may do everything. */
  admin?: boolean;
}

export interface LabelOption {
  name: string;
  /** Six hex digits, no `#`. */
  color?: string;
  description?: string;
  /** Of the labels that share the part before the last `/`, an issue keeps one. */
  exclusive?: boolean;
}

/** `null` takes the path away. */
export type FileContent = string | Uint8Array | { content: string | Uint8Array; executable: boolean };

export interface RepoOption {
  /** A login from `users`; any other name becomes an organisation. */
  owner: string;
  name: string;
  description?: string;
  private?: boolean;
  archived?: boolean;
  /** The first commit on `main`. Neither `files` nor `folder`: the repository is empty. */
  files?: Record<string, FileContent>;
  /** A folder on disk whose files make the first commit; `.git` and `node_modules` are left out. */
  folder?: string;
  collaborators?: Record<string, AccessName>;
  labels?: LabelOption[];
}

export interface ForgeOptions {
  users?: (string | UserOption)[];
  repos?: RepoOption[];
  /** Default 0: any free port. */
  port?: number;
  /** Where the bare repositories go; kept on dispose. Default: a temporary folder, removed on dispose. */
  dir?: string;
  /** Milliseconds since the epoch; Forgejo's times have whole seconds. */
  now?: () => number;
  /** How long after creation or push a pull request's `mergeable` is worked out. Default 50 ms. */
  mergeableDelayMs?: number;
  /** How long a receiver of webhooks has. Default 5000 ms, Forgejo's `DELIVER_TIMEOUT`. */
  deliveryTimeoutMs?: number;
}
