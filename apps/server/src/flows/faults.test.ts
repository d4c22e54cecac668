import { describe, expect, test } from "bun:test";
import { faultsOf, steps, withDispatch, withIf } from "./testing/flows.ts";

describe("faults", () => {
  const table: Record<string, [text: string, fault: string]> = {
    "empty file": ["", "1:1: the file is empty; expected a flow"],
    "not a map": ["[]", "1:1: the file is an empty list; expected a flow"],
    "missing keys": ["name: Try", "1:1: on is missing; expected an event"],
    "unknown key": [`priority: 2\n${withIf("true")}`, '1:1: unknown key "priority"; expected one of name, description'],
    "key twice": ["name: a\nname: b", "2:1: this is not YAML as flows use it: Map keys must be unique"],
    "key that is a map": ["name: a\n? { b: c }\n: d", "2:3: a key is a list or a map"],
    alias: ["name: &x a\non: *x", "2:5: aliases (*name) are not understood in flows"],
    tag: [withIf("!contains(thread.labels, 'x')"), "3:5: this is not YAML as flows use it: Unresolved tag"],
    "second document": [
      "---\nname: a\n---\nname: b",
      "3:1: this is not YAML as flows use it: Source contains multiple",
    ],
    "unknown event": [withIf("true", "issue.asigned"), '2:5: on is "issue.asigned"; expected one of issue.opened'],
    "unknown event in a list": [withIf("true", "[issue.opened, x]"), '2:20: on.1 is "x"; expected one of issue.opened'],
    "unknown event with filters": [withIf("true", "{ x: {} }"), '2:7: unknown key "x"; expected one of issue.opened'],
    "no event": [withIf("true", "{}"), "2:5: on names no event; expected at least one event"],
    "event as a number": [withIf("true", "3"), "2:5: on is 3; expected an event, a list of events, or events with"],
    "unknown filter": [withIf("true", "{ push: { bye: x } }"), '2:15: unknown key "bye"; expected one of assignee'],
    "unknown level": [
      withIf("true", "{ issue.opened: { by: reader } }"),
      '2:27: on.issue.opened.by is "reader"; expected writer or maintainer',
    ],
    "repository without an owner": [
      withIf("true", "{ issue.opened: { repositories: [widgets] } }"),
      '2:38: on.issue.opened.repositories.0 is "widgets"; expected a repository as "owner/repo"',
    ],
    "pattern as a repository": [
      withIf("true", "{ issue.opened: { repositories: ['acme/*'] } }"),
      '2:38: on.issue.opened.repositories.0 is "acme/*"; expected a repository as "owner/repo"',
    ],
    "empty list of labels": [
      withIf("true", "{ issue.opened: { labels: [] } }"),
      "2:31: on.issue.opened.labels is an empty list; expected at least one label",
    ],
    "assignee where nobody is": [
      withIf("true", "{ issue.opened: { assignee: agent } }"),
      "2:23: assignee cannot hold for issue.opened, which assigns nobody; expected it under one of issue.assigned",
    ],
    "mention where no text is": [
      withIf("true", "{ issue.closed: { mentions: agent } }"),
      "2:23: mentions cannot hold for issue.closed, which has no text; expected it under one of issue.opened",
    ],
    "labels where none are": [withIf("true", "{ push: { labels: [a] } }"), "2:15: labels cannot hold for push"],
    "unknown context": [
      withIf("issue.state == 'open'"),
      "3:5: unrecognized named-value: 'issue'; expected one of event",
    ],
    "unknown property": [withIf("event.titel == 'x'"), "3:11: event has no property titel for issue.assigned"],
    "unknown property in brackets": [withIf("thread['nope'] == 'x'"), "3:12: thread has no property nope"],
    "property of another event": [
      withIf("event.comment.body == 'x'", "[comment.created, issue.opened]"),
      "3:11: event has no property comment for issue.opened; expected one of kind, repository",
    ],
    "context of another event": [withIf("thread.state == 'open'", "[push, issue.opened]"), "3:5: push has no thread"],
    "computed property": [withIf("thread[event.title] == 'x'"), "3:12: a property of thread is computed"],
    "every property": [withIf("contains(thread.*, 'x')"), "3:14: a property of thread is computed"],
    "property of a text": [withIf("event.title.length == 'x'"), "3:17: event.title is text, which has no properties"],
    "property of a list": [withIf("thread.labels.x == 'x'"), "3:19: thread.labels is a list, which has no properties"],
    "unknown function": [
      withIf("contans(thread.labels, 'x')"),
      "3:5: unrecognized function: 'contans'; expected one of",
    ],
    "function of every object": [withIf("constructor(event.title)"), "3:5: there is no function constructor"],
    "function with no known type": [withIf("fromJSON(event.body).x == 1"), "3:5: there is no function fromJSON"],
    "wrong count of arguments": [withIf("contains(event.title)"), "3:5: too few parameters supplied: 'contains'"],
    "wrong arguments": [
      withIf("contains(thread, 'x')"),
      "3:5: contains cannot work on these values; expected contains(",
    ],
    "format written by others": [withIf("format(event.title, 1) == 'x'"), "3:5: format cannot work on these values"],
    "format without the value": [withIf("format('{1}', 1) == 'x'"), "3:5: format cannot work on these values"],
    "comparison with a list": [withIf("thread.labels != 'bug'"), "3:19: != cannot compare a list"],
    "comparison of two types": [withIf("thread.number != '3'"), "3:19: != compares a number with text"],
    "order of texts": [withIf("event.title > 'a'"), "3:17: > compares text with text; expected numbers on both sides"],
    "never equal": [withIf("thread.state != 'opne'"), "3:18: thread.state can never be 'opne'; expected one of 'open'"],
    "no such agent": [
      withIf("agents.assigned == 'boss'"),
      "3:21: agents.assigned can never be 'boss'; expected one of",
    ],
    "not of a list": [withIf("${{ !thread.labels }}"), "3:9: ! of a list is never true"],
    "condition that is a text": [withIf("event.title"), "3:5: the condition gives text; expected true or false"],
    "condition with text around it": [withIf("${{ true }} && false"), "3:5: if mixes ${{ }} with other text"],
    "two expressions": [withIf("${{ true }}${{ false }}"), "3:5: if mixes ${{ }} with other text"],
    "empty condition": [withIf("${{ }}"), "3:9: the expression is empty"],
    "nothing as condition": [withIf(""), "3:5: if is empty; expected an expression"],
    "half a condition": [withIf("thread.state =="), "3:18: unexpected end of expression: '=='"],
    "one equals sign": [withIf("thread.state = 'open'"), "3:18: unexpected symbol: '='"],
    "two quote marks in a text": [withIf("event.title == 'it''s ''it'"), "3:20: a text has more than one '' in it"],
    "over folded lines": [
      withIf(">-\n  thread.state == 'open' &&\n  thread.nope == 3"),
      "5:10: thread has no property nope",
    ],
    "in a literal block": [withIf("|\n  true &&\n\n  thread.nope == 3"), "6:10: thread has no property nope"],
    "after escaped quotes": [
      withIf("'thread.state == ''open'' && thread.nope == 3'"),
      "3:41: thread has no property nope",
    ],
    "after escapes": [withIf('"true \\\n  && thread.nope == 3"'), "4:13: thread has no property nope"],
    "far too long": [withIf(`event.title == '${"x".repeat(21_000)}'`), "3:5: "],
    "far too deep": [withIf(`${"(".repeat(60)}true${")".repeat(60)}`), "3:55: exceeded max expression depth 50"],
    "no steps": ["name: Try\non: push\nsteps: []", "3:8: steps is an empty list; expected at least one step"],
    "unknown op": [`name: Try\non: push\nsteps: [{ uses: x }]`, '3:17: there is no op "x"; expected one of dispatch'],
    "op without settings": [
      `name: Try\non: issue.opened\nsteps: [{ uses: dispatch }]`,
      "3:9: steps.0.with.agent is missing",
    ],
    "unknown setting": [
      withDispatch("{ agent: dev, skill: implement, x: 1 }"),
      '5:43: unknown key "x"; expected one of agent, skill',
    ],
    "unknown agent": [
      withDispatch("{ agent: boss, skill: implement }"),
      '5:20: there is no agent "boss"; expected one of dev',
    ],
    "unknown skill": [
      withDispatch("{ agent: dev, skill: x }"),
      '5:32: there is no skill "x"; expected one of implement',
    ],
    "expression as skill": [
      withDispatch("{ agent: dev, skill: '${{ event.title }}' }"),
      "5:32: skill takes no expression",
    ],
    "agent chosen by people's text": [
      withDispatch("{ agent: '${{ event.title }}', skill: implement }"),
      "5:20: `event.title` can give something that is no agent's name",
    ],
    "agent that a choice may not know": [
      withDispatch(`{ agent: "\${{ case(thread.number > 3, 'dev', 'boss') }}", skill: implement }`),
      "5:20: `case(thread.number > 3, 'dev', 'boss')` can give something that is no agent's name",
    ],
    "agent that this event has not": [
      withDispatch("{ agent: '${{ agents.mentioned }}', skill: implement }"),
      "5:32: agents has no property mentioned for issue.assigned; expected one of assigned",
    ],
    "agent with text around it": [
      withDispatch("{ agent: 'x ${{ agents.assigned }}', skill: implement }"),
      "5:20: agent mixes ${{ }} with other text",
    ],
    "dispatch without a thread": [`name: Try\non: push\n${steps}`, "3:17: dispatch cannot work on push"],
    "step id twice": [
      `name: Try\non: push\nsteps:\n  - { id: a, uses: x }\n  - { id: a, uses: x }`,
      "5:11: two steps are called a",
    ],
  };

  for (const [name, [text, fault]] of Object.entries(table))
    test(name, () => {
      const found = faultsOf(text);
      expect(found.map((one) => one.slice(0, `try.yaml:${fault}`.length))).toContain(`try.yaml:${fault}`);
    });
});
