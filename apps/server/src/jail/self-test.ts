import { readFile, readlink } from "node:fs/promises";
import type { CommandResult } from "../domain/process.ts";
import { outputText, succeeded } from "../domain/process.ts";
import { diagnose, namespaceFiles } from "./diagnose.ts";
import { JailError } from "./settings.ts";

const namespaceKinds = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] as const;

/** Prints one `name value` a line; its arguments are paths that must not be there. */
export const selfTestScript = `
for kind in ${namespaceKinds.join(" ")}; do echo "ns-$kind $(readlink /proc/self/ns/$kind)"; done
for path in "$@"; do [ -e "$path" ] && echo "visible $path"; done
for path in /x /etc/x /usr/x /dev/x /opt/x /run/x /repo/../x; do (: > "$path") 2>/dev/null && echo "writable $path"; done
for path in /repo/.self-test "$HOME/.self-test" /tmp/x /dev/shm/x; do (: > "$path") 2>/dev/null || echo "unwritable $path"; rm -f "$path"; done
while read -r name rest; do case "$name" in CapPrm:|CapEff:|CapBnd:|CapInh:|CapAmb:|NoNewPrivs:) echo "$name $rest";; esac; done < /proc/self/status
while read -r name rest; do case "$name" in lo:|*'|'*|Inter-*|face*) ;; *) echo "interface $name";; esac; done < /proc/net/dev
unshare --user true 2>/dev/null && echo "userns open"
echo "init $(cat /proc/1/comm)"
echo "uid $(id -u)"
`;

export interface SelfTestExpectation {
  uid: number;
}

/** Throws a JailError that lists every hole which the self-test's output shows. */
export async function judgeSelfTest(result: CommandResult, expected: SelfTestExpectation): Promise<void> {
  if (!succeeded(result)) throw new JailError("namespaces-refused", diagnose(result.stderr, await namespaceFacts()));
  const host = new Map<string, string>();
  for (const kind of namespaceKinds) host.set(`ns-${kind}`, await readlink(`/proc/self/ns/${kind}`));
  const faults = selfTestFaults(outputText(result), host, expected);
  if (faults.length === 0) return;
  throw new JailError(
    "self-test-failed",
    `The jail starts but does not hold on this machine, so nothing is run: ${faults.join("; ")}.`,
  );
}

/** Every way in which the self-test's lines differ from what a sound jail prints; a line that is missing counts too. */
export function selfTestFaults(
  output: string,
  host: ReadonlyMap<string, string>,
  { uid }: SelfTestExpectation,
): string[] {
  const lines = output.split("\n").filter((line) => line !== "");
  const values = new Map(lines.map((line) => [line.split(/\s+/, 1)[0] ?? "", line.replace(/^\S+\s+/, "")]));
  const complaints: Record<string, string> = {
    visible: "can be seen inside",
    writable: "can be written inside",
    unwritable: "cannot be written inside",
    interface: "is a network interface inside",
    userns: "to new user namespaces",
  };
  const told = lines.flatMap((line) => {
    const [name = "", value = ""] = line.split(" ");
    const complaint = complaints[name];
    return complaint === undefined ? [] : [`${value} ${complaint}`];
  });
  const expectations: [string, string][] = [
    ["NoNewPrivs:", "1"],
    ["init", "tini"],
    ["uid", String(uid)],
    ...["CapPrm:", "CapEff:", "CapInh:", "CapAmb:"].map((name): [string, string] => [name, "0000000000000000"]),
  ];
  const differing = expectations
    .filter(([name, value]) => values.get(name) !== value)
    .map(([name, value]) => `${name} is ${values.get(name) ?? "not told"} and should be ${value}`);
  const shared = namespaceKinds
    .filter((kind) => !values.has(`ns-${kind}`) || values.get(`ns-${kind}`) === host.get(`ns-${kind}`))
    .map((kind) => `the ${kind} namespace is the machine's own`);
  return [...told, ...differing, ...shared];
}

async function namespaceFacts() {
  const read = async (path: string) => (await readFile(path, "utf8").catch(() => null))?.trim() ?? null;
  const [clone, apparmor, max, docker, podman] = await Promise.all([
    read(namespaceFiles.unprivilegedUsernsClone),
    read(namespaceFiles.apparmorRestrictsUserns),
    read(namespaceFiles.maxUserNamespaces),
    read("/.dockerenv"),
    read("/run/.containerenv"),
  ]);
  return {
    unprivilegedUsernsClone: clone,
    apparmorRestrictsUserns: apparmor,
    maxUserNamespaces: max,
    container: docker !== null || podman !== null,
  };
}
