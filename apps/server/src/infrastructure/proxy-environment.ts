/** Proxies and certificates of the machine's own: all that a helper process needs of the service's environment. */
const passedOn = [
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "HTTPS_PROXY",
  "NO_PROXY",
  "ALL_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
  "GIT_SSL_CAINFO",
];

export function proxyEnvironment(): Record<string, string> {
  return Object.fromEntries(
    passedOn.flatMap((name): [string, string][] => {
      const value = process.env[name];
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}
