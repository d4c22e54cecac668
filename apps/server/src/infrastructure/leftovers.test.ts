import { expect, test } from "bun:test";
import { killLeftovers } from "./leftovers.ts";

const mine = `/state/of/${crypto.randomUUID()}`;
const another = `/state/of/${crypto.randomUUID()}`;
const waits = ["-e", "setInterval(() => {}, 1e6)"];
const argumentsOf = (stateDir: string) => [...waits, "bwrap", "--bind", `${stateDir}/lanes/3/checkout`, "/repo"];

/** A process whose argument list reads like a jail's and whose parent is gone; answers its id. */
async function orphan(stateDir: string): Promise<number> {
  const program = `
    import { spawn } from "node:child_process";
    const child = spawn(process.execPath, ${JSON.stringify(argumentsOf(stateDir))}, { detached: true, stdio: "ignore" });
    child.unref();
    console.log(child.pid);`;
  const parent = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
  const pid = Number((await new Response(parent.stdout).text()).trim());
  await parent.exited;
  return pid;
}

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("what an earlier service left of a jail is ended, and nobody else", async () => {
  const left = await orphan(mine);
  const others = await orphan(another);
  const takeover = Bun.spawn([process.execPath, ...argumentsOf(mine)]);
  expect(killLeftovers(mine)).toBe(1);
  while (isThere(left)) await Bun.sleep(5);
  expect([isThere(others), takeover.exitCode]).toEqual([true, null]);
  expect(killLeftovers(another)).toBe(1);
  takeover.kill();
  await takeover.exited;
});
