import { z } from "zod";

/** Forgejo's own stand-in for a user who is gone. */
const ghost = { id: -1, login: "Ghost" };

export const ForgejoUser = z.object({ id: z.int(), login: z.string().min(1) });

export const Person = ForgejoUser.nullish().transform((user) => user ?? ghost);

const Time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** `assignees` and `labels` are null when empty. */
const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((list) => list ?? []);

const subject = {
  id: z.int(),
  number: z.int().positive(),
  title: z.string(),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ""),
  user: Person,
  state: z.enum(["open", "closed"]),
  labels: listOf(z.object({ name: z.string() })),
  assignees: listOf(ForgejoUser),
  created_at: Time,
  updated_at: Time,
};

export const ForgejoIssue = z.object({ ...subject, pull_request: z.object({}).nullish() });
export type ForgejoIssue = z.infer<typeof ForgejoIssue>;

const PullBranch = z.object({
  /** The branch's name; `ref` turns into `refs/pull/<n>/head` when the branch is deleted. */
  label: z.string().optional(),
  ref: z.string(),
  sha: z.string(),
  repo_id: z.int(),
  repo: z.object({ owner: z.object({ login: z.string() }) }).nullish(),
});

export const ForgejoPull = z.object({
  ...subject,
  html_url: z.string(),
  merged: z.boolean(),
  draft: z.boolean().optional(),
  head: PullBranch,
  base: PullBranch,
});
export type ForgejoPull = z.infer<typeof ForgejoPull>;

export const ForgejoComment = z.object({
  id: z.int(),
  body: z.string(),
  user: Person,
  html_url: z.string(),
  created_at: Time,
  updated_at: Time,
});
export type ForgejoComment = z.infer<typeof ForgejoComment>;

export const ForgejoReview = z.object({
  id: z.int(),
  user: Person,
  /** Beside the verdicts: `PENDING`, and `REQUEST_REVIEW` for one that is asked for. */
  state: z.string(),
  body: z.string(),
  /** When it was begun, which for one that was pending is before it was submitted. */
  submitted_at: Time,
  updated_at: Time.optional(),
});
export type ForgejoReview = z.infer<typeof ForgejoReview>;

/** A position is a line of the file, 0 where it is not on that side. */
export const ForgejoReviewComment = z.object({
  id: z.int(),
  path: z.string(),
  body: z.string(),
  diff_hunk: z.string(),
  position: z.int(),
  original_position: z.int(),
});
export type ForgejoReviewComment = z.infer<typeof ForgejoReviewComment>;

export const ForgejoRepository = z.object({
  id: z.int(),
  full_name: z.string(),
  default_branch: z.string(),
  clone_url: z.string(),
  html_url: z.string(),
  archived: z.boolean(),
});

export const ForgejoBranch = z.object({ commit: z.object({ id: z.string() }) });

export const ForgejoPermission = z.object({ permission: z.enum(["none", "read", "write", "admin", "owner"]) });

/** `action_run_*`: times are those of the run's last attempt. */
export const ForgejoRun = z.object({
  id: z.int(),
  workflow_id: z.string(),
  prettyref: z.string(),
  commit_sha: z.string(),
  status: z.string(),
  stopped: Time,
  event_payload: z.string().optional(),
  trigger_user: Person,
});
export type ForgejoRun = z.infer<typeof ForgejoRun>;
