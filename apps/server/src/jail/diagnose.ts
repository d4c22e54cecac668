/** What of this machine decides whether an ordinary user may make namespaces. Null where the kernel has no such setting. */
export interface NamespaceFacts {
  unprivilegedUsernsClone: string | null;
  apparmorRestrictsUserns: string | null;
  maxUserNamespaces: string | null;
  container: boolean;
}

export const namespaceFiles = {
  unprivilegedUsernsClone: "/proc/sys/kernel/unprivileged_userns_clone",
  apparmorRestrictsUserns: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
  maxUserNamespaces: "/proc/sys/user/max_user_namespaces",
} as const;

/** Why a jail did not start, and the commands that mend it. */
export function diagnose(said: string, facts: NamespaceFacts): string {
  const causes = [
    facts.unprivilegedUsernsClone === "0" &&
      "user namespaces are off for ordinary users: run `sysctl -w kernel.unprivileged_userns_clone=1`, and put the setting into /etc/sysctl.d/.",
    facts.maxUserNamespaces === "0" &&
      "no user namespace is allowed at all: run `sysctl -w user.max_user_namespaces=15000`, and put the setting into /etc/sysctl.d/.",
    facts.apparmorRestrictsUserns === "1" &&
      `AppArmor keeps bwrap from making user namespaces (Ubuntu 24.04): write \`${apparmorProfile}\` into /etc/apparmor.d/bwrap, then run \`apparmor_parser -r /etc/apparmor.d/bwrap\`.`,
    facts.container &&
      "this is a container: start it with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined` (Docker, Podman), or run the service on the host or in a virtual machine.",
  ].filter((cause) => cause !== false);
  const why =
    causes.length > 0
      ? causes.join(" Also, ")
      : "no known cause: try `bwrap --unshare-all --ro-bind / / true` by hand.";
  return `The jail does not start on this machine: ${why} bwrap said: ${said.trim() || "nothing"}`;
}

const apparmorProfile =
  "abi <abi/4.0>, include <tunables/global> profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }";
