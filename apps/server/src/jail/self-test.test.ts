import { describe, expect, test } from "bun:test";
import { diagnose, type NamespaceFacts } from "./diagnose.ts";
import { selfTestFaults } from "./self-test.ts";

const kinds = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];
const host = new Map(kinds.map((kind) => [`ns-${kind}`, `${kind}:[1]`]));
const sound = [
  ...kinds.map((kind) => `ns-${kind} ${kind}:[2]`),
  ...["CapPrm:", "CapEff:", "CapBnd:", "CapInh:", "CapAmb:"].map((name) => `${name} 0000000000000000`),
  "NoNewPrivs: 1",
  "init tini",
  "uid 7",
];
const faults = (lines: string[]) => selfTestFaults(lines.join("\n"), host, { uid: 7 });
const without = (start: string) => sound.filter((line) => !line.startsWith(start));

describe("the self-test", () => {
  test("finds no fault in a sound jail", () => {
    expect(faults(sound)).toEqual([]);
  });

  test.each<[string, string[], RegExp]>([
    ["a file of the machine's", [...sound, "visible /root"], /\/root can be seen/],
    ["a place to write", [...sound, "writable /usr/x"], /\/usr\/x can be written/],
    ["a folder of the lane's that is closed", [...sound, "unwritable /repo/.self-test"], /cannot be written/],
    ["a network interface", [...sound, "interface eth0:"], /eth0: is a network interface/],
    ["nested user namespaces", [...sound, "userns open"], /open to new user namespaces/],
    ["the machine's own network", [...without("ns-net"), "ns-net net:[1]"], /the net namespace is the machine's/],
    ["a namespace that is not told", without("ns-pid"), /the pid namespace/],
    ["a capability", [...without("CapEff:"), "CapEff: 0000000000000001"], /CapEff: is 0{15}1/],
    ["new privileges", without("NoNewPrivs:"), /NoNewPrivs: is not told/],
    ["another init", [...without("init"), "init bwrap"], /init is bwrap/],
    ["another user", [...without("uid"), "uid 0"], /uid is 0 and should be 7/],
    ["no output at all", [], /not told/],
  ])("tells of %s", (_, lines, told) => {
    expect(faults(lines).join("; ")).toMatch(told);
  });
});

describe("a jail that does not start", () => {
  const facts: NamespaceFacts = {
    unprivilegedUsernsClone: null,
    apparmorRestrictsUserns: null,
    maxUserNamespaces: "96364",
    container: false,
  };
  test.each<[string, Partial<NamespaceFacts>, RegExp]>([
    ["user namespaces are off", { unprivilegedUsernsClone: "0" }, /sysctl -w kernel\.unprivileged_userns_clone=1/],
    ["none is allowed", { maxUserNamespaces: "0" }, /sysctl -w user\.max_user_namespaces/],
    ["AppArmor restricts them", { apparmorRestrictsUserns: "1" }, /\/etc\/apparmor\.d\/bwrap/],
    ["it is a container", { container: true }, /--security-opt seccomp=unconfined/],
    ["nothing is known", {}, /by hand/],
  ])("is told with its mending where %s", (_, changed, told) => {
    const message = diagnose("bwrap: No permissions to create new namespace", { ...facts, ...changed });
    expect(message).toMatch(told);
    expect(message).toContain("No permissions to create new namespace");
  });
});
