import { describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  apiKey,
  brokerFor,
  command,
  failureOf,
  folder,
  key,
  openRun,
  post,
  until,
  upstream,
} from "./testing/fixture.ts";

describe("sockets", () => {
  test("only the owner can use one, and closing it removes it and ends its requests", async () => {
    const given = Promise.withResolvers<void>();
    const model = upstream((request) => {
      request.signal.addEventListener("abort", () => given.resolve());
      return new Promise<Response>(() => {});
    });
    const { broker } = await brokerFor(model.baseUrl);
    const socket = await openRun(broker);
    expect((await stat(socket)).mode & 0o777).toBe(0o600);
    expect((await stat(join(socket, ".."))).mode & 0o777).toBe(0o700);
    const pending = post(socket).then(
      (answer) => answer.status,
      () => "cut",
    );
    await until(() => model.seen.length > 0);
    await broker.close("run-1");
    expect(await pending).toBe("cut");
    await given.promise;
    expect(await failureOf(stat(socket))).not.toBe("it did not fail");
  });

  test("each run is reported under its own name", async () => {
    const model = upstream(() => Response.json({}));
    const { broker } = await brokerFor(model.baseUrl);
    const [one, two] = [await openRun(broker, "one"), await openRun(broker, "two")];
    const runs: string[] = [];
    broker.onRequest(({ run }) => runs.push(run));
    await (await post(two)).text();
    await (await post(one)).text();
    await until(() => runs.length === 2);
    expect(runs).toEqual(["two", "one"]);
  });

  test("a place that cannot be used is refused with why", async () => {
    const model = upstream(() => Response.json({}));
    const { broker } = await brokerFor(model.baseUrl);
    const path = join(await folder(), "taken");
    await writeFile(path, "");
    expect(await failureOf(broker.open({ run: "a", socket: path, owner: null }))).toContain("is no socket");
    const long = `/tmp/${"x".repeat(120)}/s`;
    expect(await failureOf(broker.open({ run: "b", socket: long, owner: null }))).toContain("107 bytes");
  });
});

describe("the process", () => {
  test("killed, it is started again with the sockets that were open", async () => {
    const model = upstream(() => Response.json({}));
    const { broker, children, logged } = await brokerFor(model.baseUrl);
    const socket = await openRun(broker);
    children[0]!.kill("SIGKILL");
    await until(() => children.length === 2 && broker.state() === "up");
    // Commands are obeyed in order, so once another socket is open the first one is again.
    await openRun(broker, "run-2");
    expect((await post(socket)).status).toBe(200);
    expect(JSON.stringify(logged)).toContain("it ended with SIGKILL");
  });

  test("dying again and again, it is given up and says so; the next run tries it once more", async () => {
    const model = upstream(() => Response.json({}));
    const dying = [process.execPath, "-e", "console.error('out of luck'); process.exit(7)"];
    let lucky = false;
    const { broker, children } = await brokerFor(model.baseUrl, apiKey, (nth) =>
      nth === 0 || lucky ? command : dying,
    );
    children[0]!.kill("SIGKILL");
    await until(() => broker.state() === "restarting");
    const socket = join(await folder(), "s", "model.sock");
    const open = () => broker.open({ run: "a", socket, owner: null });
    expect(await failureOf(open())).toContain(
      "The broker does not start, so no agent reaches the model: The broker did not start: it ended with code 7: out of luck",
    );
    expect([broker.state(), children.length]).toEqual(["down", 9]);
    expect(await failureOf(open())).toContain("out of luck");
    expect([broker.state(), children.length]).toEqual(["down", 10]);
    lucky = true;
    await open();
    expect((await post(socket)).status).toBe(200);
  });

  test("ends when its input does, whatever it is in the middle of, and not by a Ctrl-C meant for the service", async () => {
    const child = spawn(command[0]!, command.slice(1), { env: {}, stdio: ["pipe", "pipe", "inherit"] });
    const exited = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    child.stdin.write(
      `${JSON.stringify({ upstream: { baseUrl: "http://127.0.0.1:1", socket: null }, credential: apiKey })}\n`,
    );
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGINT");
    child.kill("SIGTERM");
    const socket = join(await folder(), "s", "model.sock");
    child.stdin.write(`${JSON.stringify({ open: { run: "a", socket, owner: null } })}\n`);
    expect(String(await new Promise((resolve) => child.stdout.once("data", resolve)))).toContain("opened");
    child.stdin.end();
    expect(await exited).toEqual({ code: 0, signal: null });
  });

  test("ends with the service that started it, even when that is killed", async () => {
    const script = `
      const child = Bun.spawn(${JSON.stringify(command)}, { env: {}, stdin: "pipe", stdout: "pipe" });
      child.stdin.write(${JSON.stringify(`${JSON.stringify({ upstream: { baseUrl: "http://127.0.0.1:1", socket: null }, credential: apiKey })}\n`)});
      child.stdin.flush();
      await child.stdout.getReader().read();
      console.log(child.pid);
      setInterval(() => {}, 1000);`;
    const service = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const pid = Number(String(await new Promise((resolve) => service.stdout.once("data", resolve))));
    expect(alive(pid)).toBe(true);
    service.kill("SIGKILL");
    await until(() => !alive(pid));
  });

  test("its credential is in no argument, in no environment variable, and in nothing that it says", async () => {
    const child = spawn(command[0]!, command.slice(1), { env: {}, stdio: "pipe" });
    let said = "";
    child.stdout.on("data", (chunk) => (said += String(chunk)));
    child.stderr.on("data", (chunk) => (said += String(chunk)));
    child.stdin.write(
      `${JSON.stringify({ upstream: { baseUrl: "http://127.0.0.1:1", socket: null }, credential: apiKey })}\n`,
    );
    await until(() => said.includes("ready"));
    for (const file of ["cmdline", "environ"])
      expect(await Bun.file(`/proc/${child.pid}/${file}`).text()).not.toContain(key);
    child.stdin.write(`${JSON.stringify({ open: { run: key, socket: `/nowhere/${key}/s`, owner: null } })}\n`);
    child.stdin.end(`{"bogus": "${key}"}\n`);
    await new Promise((resolve) => child.once("close", resolve));
    expect(said).toContain("[credential]");
    expect(said).not.toContain(key);
  });

  test("settings that are wrong stop the start, with what is wrong and without the credential", async () => {
    const wrong = { kind: "api-key" as const, value: "two words" };
    expect(await failureOf(brokerFor("http://127.0.0.1:1", wrong))).toContain(
      "The broker did not start: the broker's settings: credential.value: must be one line of visible ASCII, without spaces",
    );
    expect(await failureOf(brokerFor("ftp://example.org"))).toContain("upstream.baseUrl");
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
