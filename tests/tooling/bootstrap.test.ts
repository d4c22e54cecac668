import { describe, expect, test } from "bun:test";
import { type Machine, missingFor, needs, planFor } from "../../scripts/lib/debian.ts";
import { argumentsOf, jobOf, versionWarning } from "../../scripts/lib/jobs.ts";
import { stampOf } from "../../scripts/lib/stamp.ts";

const debianRoot: Machine = { platform: "linux", isRoot: true, hasApt: true };
const nothing = () => false;

describe("what a job lacks", () => {
  test("the tests need PostgreSQL's programs, the demo does not, the checks need nothing", () => {
    const packages = (job: "demo" | "test" | "check") => missingFor(job, nothing).map((need) => need.package);
    expect(packages("test")).toContain("postgresql");
    expect(packages("demo")).not.toContain("postgresql");
    expect(packages("demo")).toContain("bubblewrap");
    expect(packages("check")).toEqual([]);
  });

  test("a program that is there is not missing", () => {
    const programs = missingFor("test", (program) => program !== "tini").map(({ program }) => program);
    expect(programs).toEqual(["tini"]);
  });
});

describe("what to do about it", () => {
  const missing = needs.filter(({ program }) => ["bwrap", "setpriv", "prlimit"].includes(program));

  test("nothing, when nothing is missing, on any machine", () => {
    expect(planFor([], { platform: "darwin", isRoot: false, hasApt: false })).toEqual({ kind: "ready" });
  });

  test("root on Debian installs each package once", () => {
    expect(planFor(missing, debianRoot)).toEqual({ kind: "install", packages: ["bubblewrap", "util-linux"] });
  });

  test("anyone else on Debian is told the exact command", () => {
    const plan = planFor(missing, { ...debianRoot, isRoot: false });
    expect(plan).toMatchObject({ kind: "stop" });
    expect(plan).toHaveProperty(
      "message",
      expect.stringContaining("sudo apt-get install -y --no-install-recommends bubblewrap util-linux\n"),
    );
  });

  test.each([
    ["another Linux", { ...debianRoot, hasApt: false }, "package manager"],
    ["another system", { ...debianRoot, platform: "darwin" }, "use a Linux machine"],
  ])("%s is told the programs' names", (_, machine, advice) => {
    const plan = planFor(missing, machine);
    expect(plan).toMatchObject({ kind: "stop" });
    expect(plan).toHaveProperty("message", expect.stringContaining("bwrap, setpriv, prlimit"));
    expect(plan).toHaveProperty("message", expect.stringContaining(advice));
  });
});

describe("the install's stamp", () => {
  const lock = Buffer.from("lock");

  test("stays the same for the same lock on the same machine", () => {
    expect(stampOf(lock, "linux-x64")).toBe(stampOf(Buffer.from("lock"), "linux-x64"));
  });

  test("changes with the lock and with the machine", () => {
    expect(stampOf(Buffer.from("lock 2"), "linux-x64")).not.toBe(stampOf(lock, "linux-x64"));
    expect(stampOf(lock, "linux-arm64")).not.toBe(stampOf(lock, "linux-x64"));
  });
});

describe("the command", () => {
  test.each(["demo", "test", "check"] as const)("%s hands the person's arguments on, last", (job) => {
    expect(argumentsOf(job, ["--exit", "a b"]).slice(-2)).toEqual(["--exit", "a b"]);
  });

  test.each([undefined, "", "deploy"])("%p is no job", (word) => {
    expect(jobOf(word)).toBeUndefined();
  });

  test("another Bun than the pinned one is told which to use", () => {
    expect(versionWarning("1.4.5", "bun@1.4.5", "demo")).toBeUndefined();
    expect(versionWarning("1.3.0", "bun@1.4.5", "demo")).toContain("npx -y bun@1.4.5 run demo");
  });
});
