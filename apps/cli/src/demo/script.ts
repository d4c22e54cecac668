import type { Script, Step } from "@claude-hooks/model-sim";

const sh = (command: string, description: string) => ({ name: "Bash", input: { command, description } });
const read = (path: string) => ({ name: "Read", input: { file_path: `/repo/${path}` } });
const edit = (path: string, before: string, after: string) => ({
  name: "Edit",
  input: { file_path: `/repo/${path}`, old_string: before, new_string: after },
});
const commit = (...paragraphs: string[]) =>
  sh(`git commit -q -a ${paragraphs.map((text) => `-m '${text}'`).join(" ")}`, "Commit the change");

const chain = `  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")`;

const chainWithoutAccents = `  return title
    .normalize("NFD")
    .replaceAll(/\\p{Mark}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")`;

const chainSpelledOut = `  return title
    .normalize("NFD")
    .replaceAll(/\\p{Mark}/gu, "")
    .toLowerCase()
    .replaceAll(/[ßæø]/g, (letter) => spelledOut[letter] ?? letter)
    .replaceAll(/[^a-z0-9]+/g, "-")`;

const head = "/** The title of a recipe as the last part of its address";

const table = `/** Letters of their own: Unicode takes no accent off them. */
const spelledOut: Readonly<Record<string, string>> = { ß: "ss", æ: "ae", ø: "o" };

`;

const lastTest = `  expect(slugify("Jalapeño Käsespätzle")).toBe("jalapeno-kasespatzle");
});
`;

const newTest = `${lastTest}
test("spells out letters that are no letter with an accent", () => {
  expect(slugify("Grießbrei")).toBe("griessbrei");
  expect(slugify("Ærtesuppe & Rødgrød")).toBe("aertesuppe-rodgrod");
});
`;

const implement: Step[] = [
  {
    text: "I look at the project, and see its tests run before I change anything.",
    tools: [
      sh("git log --oneline && ls -R src test", "Look around"),
      read("src/slugify.ts"),
      read("test/slugify.test.ts"),
    ],
  },
  { tools: [sh("bun test", "Run the tests")] },
  {
    text: "As the issue says: letters with an accent count as the end of a word. I take the accents off before that.",
    tools: [edit("src/slugify.ts", chain, chainWithoutAccents)],
  },
  { tools: [sh("bun test", "Run the tests again")] },
  {
    tools: [
      commit(
        "Keep letters that carry an accent",
        "They were taken for the end of a word. The decomposed form of Unicode (NFD)\nhas the accent as a mark behind its letter, so that it can be dropped alone.",
        "Refs #1",
      ),
    ],
  },
  {
    text: [
      "`slugify` now takes the accents off a title before it looks for the ends of words: `Crème Brûlée` makes `creme-brulee`.",
      "",
      "- **Changed**: `src/slugify.ts`, which takes letters apart (NFD) and drops the marks.",
      "- **Tested**: `bun test`; the test that failed passes, and so do the others.",
      "- **Left open**: letters such as `ß` or `ø` have no accent to take off, and still become a dash.",
    ].join("\n"),
  },
];

const followUp: Step[] = [
  {
    text: "These letters do not come apart in Unicode, so they need a table. First a test that fails.",
    tools: [read("test/slugify.test.ts"), read("src/slugify.ts")],
  },
  { tools: [edit("test/slugify.test.ts", lastTest, newTest)] },
  { tools: [sh("bun test", "See the new test fail")] },
  {
    tools: [
      edit("src/slugify.ts", head, `${table}${head}`),
      edit("src/slugify.ts", chainWithoutAccents, chainSpelledOut),
    ],
  },
  { tools: [sh("bun test", "Run the tests again")] },
  {
    tools: [
      commit(
        "Spell out ß, æ and ø",
        "They carry no accent that could be dropped, so they still became a dash.",
        "Refs #1",
      ),
    ],
  },
  {
    text: [
      "Done: `ß`, `æ` and `ø` are spelled out as `ss`, `ae` and `o`, also when they are capitals.",
      "",
      "- **Changed**: `src/slugify.ts`, by a small table; one more letter is one more entry.",
      "- **Tested**: a new test with `Grießbrei` and `Ærtesuppe & Rødgrød` failed before and passes now; all others pass.",
    ].join("\n"),
  },
];

const curtain: Step[] = [
  {
    text: [
      "I am a script with lines for one issue and one comment, and those are said.",
      "To go on talking, start the demo with `--live` and an `ANTHROPIC_API_KEY`: then a real model answers.",
    ].join(" "),
  },
];

/** What the "model" says to the agent of type dev: an issue solved, then what a comment on its pull request asks for. */
export const script: Script = {
  name: "demo",
  agents: [
    {
      name: "dev",
      match: { system: "agent type: dev" },
      turns: [
        { when: { prompt: "Implement issue #1 of" }, steps: implement },
        { when: { prompt: "Somebody spoke to you about #1 of" }, steps: followUp },
        { repeat: true, steps: curtain },
      ],
    },
  ],
};
