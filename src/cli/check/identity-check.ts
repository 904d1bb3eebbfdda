import { X509Certificate } from "node:crypto";
import { describeError } from "../../core/errors.ts";
import { systemClock } from "../../extend.ts";
import { fileIdentity } from "../../identity/files/file-identity.ts";
import { Identity } from "../../identity/identity.ts";
import type { CertificatePaths } from "./certificate-checks.ts";
import { type Finding, fail, ok } from "./finding.ts";

const waitMs = 3_000;
const check = "identity";

/**
 * Checks the files as the identity of a mesh or server (`fileIdentity`): that they are taken whole, and that the own certificate is one that peers with the same
 * authorities would take. No finding where certificate, key or authorities are not given.
 */
export async function* identityFindings({ cert, key, ca }: CertificatePaths): AsyncGenerator<Finding, void, undefined> {
  if (cert === undefined || key === undefined || ca === undefined) return;
  let identity = new Identity(fileIdentity({ cert, key, ca }), systemClock);
  try {
    await settled(identity);
    const { id } = identity;
    if (id !== undefined) {
      // A SPIFFE id is judged by the bundle of its trust domain alone.
      identity.close();
      identity = new Identity(fileIdentity({ cert, key, bundles: { [id.trustDomain]: ca } }), systemClock);
      await settled(identity);
    }
    const [leaf, ...above] = (identity.current().credentials.certificate.match(blocks) ?? []).map((pem) => new X509Certificate(pem));
    if (leaf === undefined) throw new Error("the certificate is no PEM");
    identity.verifyPeer(leaf, above, {});
    const name = id?.text ?? leaf.subjectAltName ?? leaf.subject.replaceAll("\n", ", ");
    yield ok(check, `it is ${name}, and peers with the authorities of --tls-ca take it`);
  } catch (error) {
    yield fail(
      check,
      describeError(error),
      "as `identity` of a mesh or a server these files would not do: see docs/guides/mtls-with-files.md",
    );
  } finally {
    identity.close();
  }
}

/** Waits for the first credentials, or for the first word of their source on why there are none. */
async function settled(identity: Identity): Promise<void> {
  const failed = new Promise<never>((_, reject) => void identity.follow(({ error }) => error !== undefined && reject(error)));
  await Promise.race([identity.ready(waitMs), failed]);
}

const blocks = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
