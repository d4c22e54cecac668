import { cp, mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";

/** The repository that these tests stand in. */
export const repository = resolve(import.meta.dirname, "../..");

export interface Finding {
  file: string;
  /** Absent for a file that does not parse. */
  rule?: string;
  message: string;
}

export interface Tree extends AsyncDisposable {
  root: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
  lint(): Promise<Finding[]>;
}

const notCopied = new Set(["node_modules", ".git", ".state"]);

/** A temporary tree with the named parts of the repository in it, and its installed packages linked. */
export async function copyTree(parts: readonly string[]): Promise<Tree> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "claude-hooks-tree-")));
  for (const part of parts) await copyPart(root, part);
  await symlink(join(repository, "node_modules"), join(root, "node_modules"));
  return {
    root,
    write: (files) => writeFiles(root, files),
    lint: () => lint(root),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

async function copyPart(root: string, part: string): Promise<void> {
  const filter = (path: string) =>
    !relative(repository, path)
      .split(sep)
      .some((name) => notCopied.has(name));
  await cp(join(repository, part), join(root, part), { recursive: true, filter });
}

async function writeFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await Bun.write(join(root, file), text);
  }
}

async function lint(root: string): Promise<Finding[]> {
  const oxlint = Bun.spawn([process.execPath, join(root, "node_modules/oxlint/bin/oxlint"), "--format=json"], {
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([new Response(oxlint.stdout).text(), new Response(oxlint.stderr).text()]);
  await oxlint.exited;
  const start = out.indexOf("{");
  if (start < 0) throw new Error(`oxlint gave no report: ${out}${err}`);
  const report = JSON.parse(out.slice(start)) as {
    diagnostics: { filename: string; code?: string; message: string }[];
  };
  const findings = report.diagnostics.map(({ filename, code, message }) => ({
    file: filename,
    ...(code === undefined ? {} : { rule: code }),
    message,
  }));
  const order = ({ file, rule, message }: Finding) => `${file}\0${rule}\0${message}`;
  return findings.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}
