import type { X509Certificate } from "node:crypto";
import { PeerRefused } from "./peer-refused.ts";
import type { RevocationList } from "./revocations.ts";
import { type ReadCertificate, readCertificate } from "./trust-store.ts";

/** Certificates between a leaf and its authority, at most: chains have one or two. */
const maxDepth = 8;

/**
 * Finds a chain of signatures from a leaf to one of `roots`, over certificates that the peer has shown. Dates, the right to sign and the lengths of paths
 * are held in each link. Constraints of names are held by the TLS handshake, which comes before this.
 * @returns the chain, leaf first
 * @throws PeerRefused
 */
export function chainTo(
  leaf: ReadCertificate,
  shown: readonly X509Certificate[],
  roots: readonly ReadCertificate[],
  nowMs: number,
): ReadCertificate[] {
  const search = new ChainSearch(shown, roots, nowMs);
  checkDates(leaf.certificate, nowMs);
  const chain = search.from([leaf]);
  if (chain !== undefined) return chain;
  if (search.expired !== undefined) checkDates(search.expired, nowMs);
  throw new PeerRefused("authority", "no authority that is trusted for it has issued its certificate");
}

class ChainSearch {
  /** A certificate that was passed over for its dates. */
  expired: X509Certificate | undefined = undefined;
  readonly #shown: readonly ReadCertificate[];
  readonly #roots: readonly ReadCertificate[];
  readonly #nowMs: number;

  constructor(shown: readonly X509Certificate[], roots: readonly ReadCertificate[], nowMs: number) {
    this.#shown = shown.slice(0, maxDepth).flatMap((certificate) => readable(certificate));
    this.#roots = roots;
    this.#nowMs = nowMs;
  }

  from(chain: readonly ReadCertificate[]): ReadCertificate[] | undefined {
    for (const root of this.#roots) if (this.#isLink(chain, root)) return [...chain, root];
    if (chain.length > maxDepth) return undefined;
    for (const next of this.#shown) {
      if (chain.includes(next) || !this.#isLink(chain, next)) continue;
      const found = this.from([...chain, next]);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Whether `issuer` has issued the last certificate of the chain, and may have. */
  #isLink(chain: readonly ReadCertificate[], issuer: ReadCertificate): boolean {
    const { certificate, facts } = chain.at(-1) as ReadCertificate;
    if (issuer.facts.subject !== facts.issuer || !issuer.facts.isAuthority) return false;
    if (issuer.facts.keyUsage?.certificateSigning === false || chain.length - 1 > issuer.facts.pathLength) return false;
    if (!certificate.checkIssued(issuer.certificate) || !certificate.verify(issuer.certificate.publicKey)) return false;
    if (isWithinDates(issuer.certificate, this.#nowMs)) return true;
    this.expired = issuer.certificate;
    return false;
  }
}

/** A shown certificate that cannot be read is no link of a chain. */
function readable(certificate: X509Certificate): ReadCertificate[] {
  try {
    return [readCertificate(certificate)];
  } catch {
    return [];
  }
}

/** Whether a certificate is within its dates. */
export function isWithinDates({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return nowMs >= validFromDate.getTime() && nowMs <= validToDate.getTime();
}

function checkDates(certificate: X509Certificate, nowMs: number): void {
  if (isWithinDates(certificate, nowMs)) return;
  const { validFromDate, validToDate } = certificate;
  const which = nowMs > validToDate.getTime() ? `expired at ${validToDate.toISOString()}` : `begins at ${validFromDate.toISOString()}`;
  throw new PeerRefused("expired", `a certificate of its chain ${which}`);
}

/**
 * Refuses a chain with a revoked certificate. A list counts where the issuer of the certificate has signed it; an issuer without a list revokes nothing.
 * A list whose next one is overdue refuses: holding the next one back must not undo a revocation.
 * @throws PeerRefused
 */
export function checkRevocations(chain: readonly ReadCertificate[], lists: readonly RevocationList[], nowMs: number): void {
  if (lists.length === 0) return;
  for (const [index, { facts }] of chain.entries()) {
    const issuer = chain[index + 1];
    const all = issuer === undefined ? [] : lists.filter((list) => list.issuer === facts.issuer && list.isSignedBy(issuer.certificate));
    for (const { serials, nextUpdateMs } of all) {
      if (serials.has(facts.serial)) throw new PeerRefused("revoked", "a certificate of its chain is revoked");
      if (nextUpdateMs !== undefined && nextUpdateMs < nowMs)
        throw new PeerRefused("revoked", `the list of revoked certificates is out of date since ${new Date(nextUpdateMs).toISOString()}`);
    }
  }
}
