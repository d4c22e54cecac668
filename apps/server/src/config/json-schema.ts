import { z } from "zod";
import { ConfigFile } from "./schema.ts";

/** The JSON Schema of config/agents.json as published beside the example, for editors. */
export function configJsonSchema(): string {
  const schema = z.toJSONSchema(ConfigFile, { io: "input", unrepresentable: "any" });
  return `${JSON.stringify({ title: "claude-hooks: config/agents.json", ...schema }, null, 2)}\n`;
}
