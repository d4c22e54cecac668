/** Where things stand inside the jail, whatever the machine looks like outside. */
export const inside = {
  checkout: "/repo",
  home: "/home/agent",
  sockets: "/run/broker",
  mirror: "/mirror.git",
  agent: "/opt/claude",
  init: "/opt/tini",
  tools: "/opt/tools",
} as const;
