import { expect, test } from "bun:test";
import { createLogger, type LogFormat } from "./logger.ts";

function lines(format: LogFormat): { log: ReturnType<typeof createLogger>; written: string[] } {
  const written: string[] = [];
  const redact = (text: string) => text.replaceAll("hidden-value", "[redacted]");
  return { written, log: createLogger({ level: "info", format, redact, write: (line) => written.push(line) }) };
}

test("a line is JSON with its fields", () => {
  const { log, written } = lines("json");
  log.warn({ taskId: "t1", error: new Error("boom") }, "run failed");
  const line = JSON.parse(written[0] ?? "");
  expect(line).toMatchObject({ taskId: "t1", msg: "run failed", error: { message: "boom" } });
});

test.each(["json", "pretty"] as const)("no secret gets into a %s line, however deep its field", (format) => {
  const { log, written } = lines(format);
  log.error({ a: { b: ["hidden-value"] }, error: new Error("with hidden-value") }, "x");
  expect(written.join("")).toContain("[redacted]");
  expect(written.join("")).not.toContain("hidden-value");
});

test("the readable form says the text and the fields on one line", () => {
  const { log, written } = lines("pretty");
  log.info({ run: "r1" }, "run started");
  expect(written.join("").trim().split("\n")).toHaveLength(1);
  expect(written.join("")).toContain("run started");
});
