import type { X509Certificate } from "node:crypto";
import { weakKeyOf } from "./key-strength.ts";
import { PeerRefused } from "./peer-refused.ts";
import type { RevocationList } from "./revocations.ts";
import { type ReadCertificate, readCertificate } from "./trust-store.ts";

/** Certificates between a leaf and its authority, at most: chains have one or two. */
const maxDepth = 8;

/** The certificates between which chains are looked for. */
export interface ChainParts {
  /** Those that the peer has shown above its own. */
  readonly shown: readonly X509Certificate[];
  /** The authorities of which one has to be the end of the chain. */
  readonly roots: readonly ReadCertificate[];
  /** All authorities that the TLS handshake has trusted, those of other trust domains included. */
  readonly trusted: readonly ReadCertificate[];
}

/**
 * Finds a chain of signatures from a leaf to one of `roots`, over certificates that the peer has shown. Dates, the strength of keys, the right to sign and
 * the lengths of paths are held in each link. Constraints of names, and all else that an authority forbids below itself, are held by the TLS handshake,
 * which comes before this: so that it cannot have held those of another chain, one with such an authority must be the only one up to it.
 * @returns the chain, leaf first
 * @throws PeerRefused
 */
export function chainTo(leaf: ReadCertificate, parts: ChainParts, nowMs: number): ReadCertificate[] {
  const search = new ChainSearch(parts, nowMs);
  checkDates(leaf.certificate, nowMs);
  const weak = weakKeyOf(leaf.certificate);
  if (weak !== undefined) throw new PeerRefused("certificate", `the key of its certificate is ${weak}`);
  const chain = search.from([leaf]);
  if (chain !== undefined) return chain;
  if (search.expired !== undefined) checkDates(search.expired, nowMs);
  if (search.isAmbiguous)
    throw new PeerRefused("authority", "an authority above its certificate restricts what is below it, and it has shown a chain beside it");
  throw new PeerRefused("authority", "no authority that is trusted for it has issued its certificate");
}

class ChainSearch {
  /** A certificate that was passed over for its dates. */
  expired: X509Certificate | undefined = undefined;
  /** Whether a chain was passed over as it may not be the one that the handshake has held. */
  isAmbiguous = false;
  readonly #shown: readonly ReadCertificate[];
  readonly #roots: readonly ReadCertificate[];
  readonly #trusted: readonly ReadCertificate[];
  /** Whether the peer has shown certificates that OpenSSL may have read, and this has not. */
  readonly #hasUnread: boolean;
  readonly #nowMs: number;

  constructor({ shown, roots, trusted }: ChainParts, nowMs: number) {
    this.#shown = shown.slice(0, maxDepth).flatMap((certificate) => readable(certificate));
    this.#hasUnread = this.#shown.length < shown.length;
    this.#roots = roots;
    this.#trusted = trusted;
    this.#nowMs = nowMs;
  }

  from(chain: readonly ReadCertificate[]): ReadCertificate[] | undefined {
    for (const root of this.#roots) {
      if (!this.#isLink(chain, root)) continue;
      const whole = [...chain, root];
      if (this.#isTheOnlyOne(whole)) return whole;
      this.isAmbiguous = true;
    }
    if (chain.length > maxDepth) return undefined;
    for (const next of this.#shown) {
      if (chain.includes(next) || !this.#isLink(chain, next)) continue;
      const found = this.from([...chain, next]);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Whether no other certificate can stand in the place of one that restricts what is below it, or of one below that. */
  #isTheOnlyOne(chain: readonly ReadCertificate[]): boolean {
    const highest = chain.findLastIndex(({ facts }, index) => index > 0 && facts.restrictions !== "");
    if (highest < 1) return true;
    if (this.#hasUnread) return false;
    const all = [...this.#shown, ...this.#trusted];
    return chain.slice(0, highest).every(({ certificate }, index) => {
      const { facts } = chain[index + 1] as ReadCertificate;
      // One that was renewed, and was issued by the same authority with the same restrictions, is no other.
      const isOther = (each: ReadCertificate) => each.facts.issuer !== facts.issuer || each.facts.restrictions !== facts.restrictions;
      return !all.some((each) => each.facts.subject === facts.subject && isOther(each) && hasIssued(each, certificate));
    });
  }

  /** Whether `issuer` has issued the last certificate of the chain, and may have. */
  #isLink(chain: readonly ReadCertificate[], issuer: ReadCertificate): boolean {
    const { certificate, facts } = chain.at(-1) as ReadCertificate;
    if (issuer.facts.subject !== facts.issuer || !issuer.facts.isAuthority) return false;
    if (issuer.facts.keyUsage?.certificateSigning === false || chain.length - 1 > issuer.facts.pathLength) return false;
    if (weakKeyOf(issuer.certificate) !== undefined || !hasIssued(issuer, certificate)) return false;
    if (isWithinDates(issuer.certificate, this.#nowMs)) return true;
    this.expired = issuer.certificate;
    return false;
  }
}

/** Whether the key of `issuer` has signed a certificate, by its name. */
function hasIssued(issuer: ReadCertificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer.certificate) && certificate.verify(issuer.certificate.publicKey);
  } catch {
    // A key or a signature that cannot be read.
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
  const which =
    nowMs > validToDate.getTime()
      ? `expired at ${validToDate.toISOString()}`
      : nowMs < validFromDate.getTime()
        ? `begins at ${validFromDate.toISOString()}`
        : "has a date that cannot be read";
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
