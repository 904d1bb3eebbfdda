import type { PartPath } from "../documents/part-path.ts";

const secretNames: ReadonlySet<string> = new Set(["token", "password", "secret", "passphrase"]);
/** Headers with credentials, and the options that have headers by their names. */
const secretHeaders: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"]);
const headerGroups: ReadonlySet<string> = new Set(["headers", "set", "setIfAbsent", "add"]);
/** The user information of a URL, or a private key. */
const secretText = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@]+:[^/?#@]+@|-----BEGIN [A-Z ]*PRIVATE KEY-----/i;

/** Whether a text at this place is a secret, which does not belong into a file that is shown, compared and kept under version control. */
export function isSecret(path: PartPath, text: string): boolean {
  if (text === "") return false;
  const [group, name] = path.slice(-2);
  if (headerGroups.has(String(group)) && secretHeaders.has(String(name).toLowerCase())) return true;
  return secretNames.has(String(path.at(-1))) || (group === "tls" && name === "key") || secretText.test(text);
}
