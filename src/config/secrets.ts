import { looksSecret } from "../core/http/secret-headers.ts";
import { hasSecretParameter } from "../core/http/secret-parameters.ts";
import type { PartPath } from "../documents/read-document.ts";
import { nearestName } from "../suggestions/nearest-name.ts";

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

/** Names of parts that are secrets to a reader, however they are spelt, with all that is in them. */
const secretPart = /^(?:.*token|.*passw(?:or)?d|.*secret|passphrase|api-?key|.*credentials?)$/i;
/** A slip of these is still a secret. */
const mistyped = ["token", "password", "secret", "passphrase"];
/** References, and the name of a scheme before one: nothing that has to be kept. */
const onlyReferences = /^(?:(?:Bearer|Basic|Token) )?(?:\$\{[^{}]*\})+$/;
const userInformation = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i;

/**
 * Whether a text at this place is left out where a configuration is shown: each that {@link isSecret}, and what may be one. A file is shown before it is right, so that
 * a token may stand where none is expected, and beside a reference.
 */
export function isHidden(path: PartPath, text: string): boolean {
  if (text === "" || onlyReferences.test(text)) return false;
  const names = path.filter((part) => typeof part === "string");
  const name = names.at(-1) ?? "";
  const isTls = names.includes("tls") || names.includes("identity");
  return (
    isSecret(path, text) ||
    names.some((each) => secretPart.test(each) || nearestName(each, mistyped) !== undefined) ||
    (headerGroups.has(names.at(-2) ?? "") && looksSecret(name)) ||
    (isTls && name === "key" && text.includes("\n")) ||
    userInformation.test(text) ||
    hasSecretParameter(text)
  );
}

/** Whether a text is probably a name that a person has typed, and no token, which has digits or is longer. */
export function isName(text: string): boolean {
  return /^[A-Za-z][A-Za-z-]{0,23}$/.test(text);
}
