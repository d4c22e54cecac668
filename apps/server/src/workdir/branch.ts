export interface BranchRequest {
  branch: string;
  base: { branch: string };
  defaultBranch: string;
}

/** Why this branch must not be pushed to; null where it may. */
export function branchFault({ branch, base, defaultBranch }: BranchRequest): string | null {
  if (branch === defaultBranch || branch === base.branch)
    return `"${branch}" is a branch that people merge into: agents push to branches of their own only.`;
  // Stricter than git-check-ref-format(1), and nothing that could be read as another namespace or as an option.
  const plain = /^(?!.*(\.\.|\/\/|\.lock(\/|$)|\/\.|\.(\/|$)))[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9_-]$/;
  if (!plain.test(branch) || branch.startsWith("refs/") || branch === "HEAD")
    return `"${branch}" is no plain branch name.`;
  return null;
}
