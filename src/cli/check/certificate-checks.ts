import { createPrivateKey, X509Certificate } from "node:crypto";
import { stat } from "node:fs/promises";
import { describeError } from "../../core/errors.ts";
import { readNamedFile } from "../named-file.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

const dayMs = 86_400_000;
const warnMs = 14 * dayMs;

/** Whether a certificate is valid now, and for how long. */
export function expiryFinding(
  check: string,
  { validFrom, validTo }: Pick<X509Certificate, "validFrom" | "validTo">,
  nowMs: number,
): Finding {
  const [fromMs, endMs] = [Date.parse(validFrom), Date.parse(validTo)];
  const end = new Date(endMs).toISOString().slice(0, 10);
  const leftMs = endMs - nowMs;
  if (leftMs <= 0) return fail(check, `the certificate expired on ${end}`, "renew it");
  if (fromMs > nowMs)
    return fail(
      check,
      `the certificate is not valid before ${new Date(fromMs).toISOString()}`,
      "check the clock of this machine, and the issuer of the certificate",
    );
  const left = `${Math.floor(leftMs / dayMs)} days left, until ${end}`;
  return leftMs < warnMs ? warn(check, left, "renew it now") : ok(check, left);
}

/** Files of a TLS client: `--tls-cert`, `--tls-key`, `--tls-ca`. */
export interface CertificatePaths {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly ca: string | undefined;
}

/** Checks the given files: readable, not expired, belonging together, and the key readable by its owner only. */
export async function* certificateFindings({ cert, key, ca }: CertificatePaths, nowMs: number): AsyncGenerator<Finding, void, undefined> {
  const authorities = yield* certificatesIn("tls-ca", ca, nowMs);
  const [leaf, ...chain] = (yield* certificatesIn("tls-cert", cert, nowMs)) ?? [];
  if (leaf !== undefined && authorities !== undefined) {
    const isIssued = [...chain, ...authorities].some((issuer) => leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey));
    yield isIssued
      ? ok("tls-cert", "the authority in --tls-ca has signed it")
      : warn(
          "tls-cert",
          "the authority in --tls-ca has not signed it",
          "that is right only where instances have another authority than this process",
        );
  }
  if (key !== undefined) yield* keyFindings(key, leaf);
  else if (leaf !== undefined) yield warn("tls-key", "--tls-cert was given without --tls-key", "give the key too");
}

async function* certificatesIn(
  check: string,
  path: string | undefined,
  nowMs: number,
): AsyncGenerator<Finding, readonly X509Certificate[] | undefined, undefined> {
  if (path === undefined) return undefined;
  try {
    const blocks = (await readNamedFile(path)).toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (blocks.length === 0) {
      yield fail(check, `${path} holds no PEM certificate`, "convert it: openssl x509 -inform der -in FILE -out FILE.pem");
      return undefined;
    }
    const certificates = blocks.map((pem) => new X509Certificate(pem));
    // Of a chain, the certificate that expires first.
    const first = certificates.reduce((one, other) => (Date.parse(other.validTo) < Date.parse(one.validTo) ? other : one));
    yield expiryFinding(check, first, nowMs);
    return certificates;
  } catch (error) {
    yield fail(check, `${path}: ${describeError(error)}`, "check the path and the content of the file");
    return undefined;
  }
}

async function* keyFindings(path: string, leaf: X509Certificate | undefined): AsyncGenerator<Finding, void, undefined> {
  const check = "tls-key";
  try {
    const pem = await readNamedFile(path);
    const key = createPrivateKey(pem);
    if (leaf !== undefined) {
      yield leaf.checkPrivateKey(key)
        ? ok(check, "it belongs to --tls-cert")
        : fail(check, "it does not belong to --tls-cert", "give the key that the certificate was made for");
    } else yield ok(check, "it can be read");
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) yield warn(check, `others on this machine may read ${path}`, `chmod 600 ${path}`);
  } catch (error) {
    const { code } = error as { code?: unknown };
    // Never the message of the parser, which might quote the file.
    if (code === "ERR_MISSING_PASSPHRASE")
      yield warn(check, `${path} is encrypted`, "the mesh takes keys that are not: openssl pkey -in FILE -out FILE.pem");
    else if (typeof code === "string" && /^E[A-Z]+$/.test(code))
      yield fail(check, `${path} cannot be read (${code})`, "check the path and the permissions of the file");
    else yield fail(check, `${path} holds no private key in PEM`, "check the content of the file");
  }
}
