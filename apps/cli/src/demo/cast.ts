/** Who and what the demo is about; the project itself lies in `fixtures/project`. */
export const cast = {
  person: "cook",
  owner: "kitchen",
  agent: "dev-bot",
  service: "claude-hooks",
  repository: "recipe-links",
  full: "kitchen/recipe-links",
} as const;

export const issue = {
  title: "Recipes with accents get broken addresses",
  body: [
    '`slugify("Crème Brûlée")` makes `cr-me-br-l-e`, and the link to the recipe is ugly and hard to guess.',
    "It should make `creme-brulee`: a letter with an accent is still a letter.",
    "The test that fails in `test/slugify.test.ts` says what we want.",
  ].join("\n\n"),
} as const;

export const comment = [
  "@dev-bot accents are fine now, thanks. `ß`, `æ` and `ø` still fall out, since they are letters of their own and carry no accent:",
  '`slugify("Grießbrei")` makes `grie-brei`.',
  "Please spell them out (`ß` as `ss`, `æ` as `ae`, `ø` as `o`), with a test.",
].join("\n\n");
