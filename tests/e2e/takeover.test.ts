import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SessionDetail, SessionList } from "@claude-hooks/api";
import { Client } from "../../apps/cli/src/client.ts";
import { handback, takeover } from "../../apps/cli/src/commands/takeover.ts";
import { rejection } from "../support/rejection.ts";
import { assignIssue, commitOf, devScript, says, sh, told, widgets } from "./play.ts";
import { until } from "./until.ts";
import { openWorld, repository, type World } from "./world.ts";

const lane = "dev:acme/widgets#1";

/** A person at a terminal: what is typed goes in at once, and what is shown gathers. */
class Person implements Disposable {
  readonly lines: string[] = [];
  readonly #client: Client;
  #child: Bun.Subprocess<"pipe", "pipe", "pipe"> | null = null;
  #shown = "";

  constructor({ stateDir }: World) {
    this.#client = new Client(join(stateDir, "api.sock"));
  }

  get client(): Client {
    return this.#client;
  }

  /** `claude-hooks takeover`, with --exec; answers while the session is open. */
  takeover(thread: string, options: { stop?: boolean; agent?: string } = {}): Promise<number> {
    const terminal = {
      kind: "xterm",
      wait: () => Bun.sleep(20),
      run: async (command: readonly string[]) => {
        const env = { PATH: "/usr/bin:/bin" };
        const child = Bun.spawn([...command], { stdin: "pipe", stdout: "pipe", stderr: "pipe", env });
        this.#child = child;
        void this.#read(child.stdout);
        void this.#read(child.stderr);
        return 0;
      },
    };
    const print = (line: string): void => void this.lines.push(line);
    return takeover({ client: this.#client, print, terminal }, thread, { ...options, exec: true });
  }

  handback(thread: string): Promise<void> {
    return handback(this.#client, (line) => void this.lines.push(line), thread, {});
  }

  /** The text first and Enter when it stands in the input, as a person does. */
  async says(text: string): Promise<void> {
    await this.#type(text);
    await this.sees(text);
    await this.#type("\r");
  }

  /** Whatever the spaces are: a terminal's programs skip them by moving the cursor. */
  async sees(what: string): Promise<void> {
    const bare = (text: string): string => text.replaceAll(/\s+/g, "");
    const shown = (): string => bare(Bun.stripANSI(this.#shown));
    await until(
      `"${what}" in the terminal`,
      async () => (shown().includes(bare(what)) ? true : null),
      () => shown().slice(-3_000),
    );
  }

  async ends(): Promise<number | undefined> {
    return await this.#child?.exited;
  }

  [Symbol.dispose](): void {
    this.#child?.kill("SIGKILL");
  }

  async #type(text: string): Promise<void> {
    void this.#child?.stdin.write(text);
    await this.#child?.stdin.flush();
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#shown += decoder.decode(chunk, { stream: true });
  }
}

const session = async (person: Person) => (await person.client.get("/sessions", SessionList)).sessions[0];

/** Nothing starts in a while in which an undisturbed lane would have started and ended its run. */
async function staysAt(count: number, runs: () => Promise<unknown[]>): Promise<void> {
  for (let look = 0; look < 40; look += 1) {
    expect(await runs()).toHaveLength(count);
    await Bun.sleep(50);
  }
}

test("a person takes the session over in its own jail, and handed back the agent goes on with both their words", async () => {
  const script = devScript(
    { when: { prompt: "Implement issue #1" }, steps: [commitOf("a.txt", "Add a"), says("Added a.")] },
    {
      when: { prompt: "by hand" },
      steps: [{ tools: [sh("id -u; echo hand > hand.txt; ls /etc/shadow")] }, says("Wrote it as you said.")],
    },
    {
      when: { prompt: "go on" },
      steps: [{ tools: [sh("git add -A && git commit -q -m 'Hand in'")] }, says("Handed in.")],
    },
  );
  await using world = await openWorld({ script });
  const service = await world.start();
  const number = await assignIssue(world.forge, "Add a");
  const [first] = await service.finished(1);
  using person = new Person(world);
  await person.takeover("acme/widgets#1");
  await person.sees("Added a.");
  expect(await session(person)).toMatchObject({ lane, stands: "held", state: "live", run: null });
  expect((await rejection(person.takeover(lane))).message).toMatch(/is open already, in process \d+/);
  expect((await rejection(person.handback(lane))).message).toMatch("is still open in process");

  await world.forge.as("alice").comment({ ...widgets, number, body: "@dev-bot go on" });
  await until("the comment to wait", async () => {
    const { waiting_events: waiting } = await person.client.get(`/sessions/${encodeURIComponent(lane)}`, SessionDetail);
    return waiting > 0 ? true : null;
  });
  await person.says("Do it by hand");
  await person.sees("Wrote it as you said.");
  expect(await service.runs()).toHaveLength(1);
  await person.says("/exit");
  expect(await person.ends()).toBe(0);

  await person.handback("acme/widgets#1");
  expect(person.lines.at(-1)).toBe(`${lane} is the service's again, and goes on with what waits`);
  const [, second] = await service.finished(2);
  expect(second).toMatchObject({ outcome: "succeeded", session: first!.session, commits: 1 });
  expect(second!.start).toStartWith("resumed");
  const last = told(world.model.requests().at(-1)!);
  for (const words of ["Do it by hand", "Wrote it as you said.", "go on"]) expect(last).toContain(words);
  expect(last).toMatch(/cannot access '\/etc\/shadow'/);
  expect(world.forge.branchHead(repository, "dev/1")).not.toBeNull();
  expect((await session(person))?.stands).toBeNull();
}, 90_000);

test("a hold outlives the service, and its lane goes on only when it is handed back", async () => {
  const script = devScript(
    { when: { prompt: "Implement issue #1" }, steps: [commitOf("a.txt", "Add a"), says("Added a.")] },
    { when: { prompt: "go on" }, steps: [commitOf("b.txt", "Add b"), says("Added b.")] },
  );
  await using world = await openWorld({ script });
  const before = await world.start();
  const number = await assignIssue(world.forge, "Add a");
  await before.finished(1);
  using person = new Person(world);
  expect((await rejection(person.takeover("acme/widgets#9"))).message).toMatch(
    "nothing is on record about acme/widgets#9",
  );
  expect((await rejection(person.takeover("acme/widgets#1", { agent: "boss" }))).message).toMatch(
    'no agent type "boss"',
  );
  expect((await rejection(person.handback(lane))).message).toMatch("nobody holds");
  await person.takeover(lane);
  await person.sees("Added a.");
  await person.says("/exit");
  await person.ends();
  await before.kill();
  const service = await world.start();
  await world.forge.as("alice").comment({ ...widgets, number, body: "@dev-bot go on" });
  await until("the comment to wait", async () => {
    const { waiting_events: waiting } = await person.client.get(`/sessions/${encodeURIComponent(lane)}`, SessionDetail);
    return waiting > 0 ? true : null;
  });
  await staysAt(1, () => service.runs());
  await person.handback(lane);
  expect((await service.finished(2))[1]).toMatchObject({ outcome: "succeeded", commits: 1 });
}, 90_000);

test("a run under way is stopped where the person says so, and its work waits for the handback", async () => {
  const script = devScript(
    {
      when: { prompt: "Implement issue #1" },
      repeat: true,
      steps: [{ tools: [sh("echo half > half.txt")] }, { text: "never said", gate: "later" }],
    },
    {
      when: { prompt: "[Nothing" },
      steps: [{ tools: [sh("git add -A && git commit -q -m 'Whole'")] }, says("Whole now.")],
    },
  );
  await using world = await openWorld({ script });
  const service = await world.start();
  await assignIssue(world.forge, "Add a");
  await world.model.waitAtGate("later");
  using person = new Person(world);
  await person.takeover("acme/widgets#1", { stop: true });
  expect(person.lines.join("\n")).toContain("it is being stopped");
  await person.sees("Interrupted");
  const { checkout } = await person.client.get(`/sessions/${encodeURIComponent(lane)}`, SessionDetail);
  expect(existsSync(join(checkout!, "half.txt"))).toBe(true);
  expect((await service.runs()).map(({ outcome }) => outcome)).toEqual(["failed"]);
  await person.says("/exit");
  await person.ends();
  await person.handback(lane);
  expect(person.lines.at(-1)).toContain("goes on with what waits");
  await until("a second run", async () => ((await service.runs()).length >= 2 ? true : null));
}, 90_000);
