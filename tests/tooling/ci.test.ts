import { describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository } from "./tree.ts";

const report = (tests: number, failures: number, skipped = 0) =>
  `echo '<testsuites name="bun test" tests="${tests}" assertions="9" failures="${failures}" skipped="${skipped}" time="1">' > "$report"`;
const fourParts = 'printf "passed types 1\\npassed lint 1\\npassed format 1\\npassed unused 1\\n" > "$report"';

/** Runs `.ci/run` with an `npx` that does as told for `run test` and for `run check`. */
async function ci(doing: { test: string; check?: string }, env: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "claude-hooks-ci-"));
  const npx = join(folder, "npx");
  const script = `#!/bin/bash
for word in "$@"; do case "$word" in --report=*) report="\${word#*=}";; --reporter-outfile=*) report="\${word#*=}";; esac; done
if [ "$4" = test ]; then ${doing.test}
else ${doing.check ?? fourParts}
fi
`;
  try {
    await Bun.write(npx, script);
    await chmod(npx, 0o755);
    const run = Bun.spawn([join(repository, ".ci/run")], {
      env: { PATH: `${folder}:/usr/bin:/bin`, HOME: "", ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const lines = (await new Response(run.stdout).text()).trimEnd().split("\n");
    return { code: await run.exited, last: lines.at(-1), text: lines.join("\n") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe(".ci/run", () => {
  test("adds the checks to the tests", async () => {
    const result = await ci({ test: report(7, 0) });
    expect(result).toMatchObject({ code: 0, last: "11 passed, 0 failed" });
    expect(result.text).toContain("tests: 7 passed, 0 failed, 0 skipped");
  });

  test("fails when a test failed, and counts no skipped one as passed", async () => {
    const result = await ci({ test: `${report(7, 2, 1)}; exit 1` });
    expect(result).toMatchObject({ code: 1, last: "8 passed, 2 failed" });
  });

  test("counts a file that throws while it loads, which the report leaves out", async () => {
    const result = await ci({ test: `${report(7, 0)}; echo " 1 error"; exit 1` });
    expect(result).toMatchObject({ code: 1, last: "11 passed, 1 failed" });
  });

  test("fails when the runner dies without a report", async () => {
    expect(await ci({ test: "kill -KILL $$" })).toMatchObject({ code: 1, last: "4 passed, 1 failed" });
  });

  test("fails when the runner dies after a good report", async () => {
    expect(await ci({ test: `${report(7, 0)}; kill -KILL $$` })).toMatchObject({
      last: "11 passed, 1 failed",
      code: 1,
    });
  });

  test("fails when the runner does not come to an end", async () => {
    const result = await ci({ test: "exec sleep 600" }, { CI_TEST_SECONDS: "0.1" });
    expect(result).toMatchObject({ code: 1, last: "4 passed, 1 failed" });
  });

  test("fails when no test ran", async () => {
    expect(await ci({ test: report(0, 0) })).toMatchObject({ code: 1, last: "4 passed, 1 failed" });
  });

  test("fails when a check failed", async () => {
    const check = 'printf "passed types 1\\nfailed lint 1\\n" > "$report"; exit 1';
    expect(await ci({ test: report(7, 0), check })).toMatchObject({ code: 1, last: "8 passed, 1 failed" });
  });

  test("fails when the checks do not run at all", async () => {
    expect(await ci({ test: report(7, 0), check: "exit 127" })).toMatchObject({ code: 1, last: "7 passed, 1 failed" });
  });
});
