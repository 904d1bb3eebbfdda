import { createPrivateKey, X509Certificate } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { readFileSafely } from "../../files/read-file.ts";
import type { Credentials } from "../credentials.ts";
import type { FileIdentitySettings } from "./file-options.ts";

/** Files of certificates may have this size: a bundle of all public authorities is a quarter of it. */
const maxBytes = 2 ** 20;
const writableByOthers = 0o022n;
const readableByAll = 0o004n;

/**
 * Reads all files once.
 * @throws Error with the path and the reason, without any text of the file.
 */
export async function readCredentials(settings: FileIdentitySettings): Promise<Credentials> {
  const [certificate, key, authorities, revocations, ...bundles] = await Promise.all([
    textOf(settings.cert),
    textOf(settings.key, (stats) => judgeKey(stats, settings.allowReadableKey)),
    Promise.all(settings.ca.map((path) => textOf(path))),
    Promise.all(settings.revocations.map((path) => textOf(path))),
    ...[...settings.bundles].map(
      async ([domain, paths]): Promise<[string, string[]]> => [domain, await Promise.all(paths.map((path) => textOf(path)))],
    ),
  ]);
  return { certificate, key, trust: { authorities, bundles: new Map(bundles), revocations } };
}

/** Whether two readings found the same texts. */
export function isSame(one: Credentials, other: Credentials): boolean {
  return textsOf(one) === textsOf(other);
}

function textsOf({ certificate, key, trust }: Credentials): string {
  return JSON.stringify([certificate, key, trust.authorities, [...trust.bundles], trust.revocations]);
}

/**
 * The reason for which files do not belong together, as while they are being replaced; `undefined` where they do. Whether they are good is judged by
 * their user.
 */
export function discrepancyOf({ certificate, key, trust }: Credentials): string | undefined {
  for (const text of [certificate, ...trust.authorities, ...[...trust.bundles.values()].flat()])
    if (!isWhole(text, "CERTIFICATE")) return "a file of certificates is empty or only half there";
  for (const text of trust.revocations ?? []) if (!isWhole(text, "X509 CRL")) return "a file of revocations is empty or only half there";
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) return "the key does not belong to the certificate";
  } catch {
    // The message of Node may quote the text.
    return "the certificate or the key cannot be read: PEM without a passphrase is wanted";
  }
  return undefined;
}

/** Whether each block of PEM that begins in a text also ends in it. */
function isWhole(text: string, label: string): boolean {
  const begun = text.split(`-----BEGIN ${label}-----`).length - 1;
  return begun > 0 && begun === text.split(`-----END ${label}-----`).length - 1;
}

async function textOf(path: string, judge?: (stats: BigIntStats) => void): Promise<string> {
  try {
    return (await readFileSafely(path, judge === undefined ? { maxBytes } : { maxBytes, judge })).toString("utf8");
  } catch (cause) {
    throw new Error(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** As ssh judges keys, except that a group may read it: that is how orchestrators hand keys to a process that is not root. */
function judgeKey({ mode }: BigIntStats, allowReadable: boolean): void {
  // Windows has no such modes.
  if (process.platform === "win32") return;
  const shown = `0${(mode & 0o777n).toString(8)}`;
  if ((mode & writableByOthers) !== 0n) throw new Error(`others may write this key (mode ${shown}): chmod 0600 or 0640`);
  if ((mode & readableByAll) !== 0n && !allowReadable)
    throw new Error(`every user may read this key (mode ${shown}): chmod 0600 or 0640, or set allowReadableKey`);
}
