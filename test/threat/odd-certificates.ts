// The library of certificates needs its polyfill before it.
import "reflect-metadata";
import { BasicConstraintsExtension, ExtendedKeyUsage, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension } from "@peculiar/x509";
import type { Authority, Issued, Wanted } from "../support/authority.ts";

/** The authorities of the table: of the trust domain `td`, of another one, and one that nobody trusts with the name of the first. */
export interface Authorities {
  readonly td: Authority;
  readonly far: Authority;
  readonly impostor: Authority;
  /** Below the first, in the past. */
  readonly past: Authority;
}

export const honest = "spiffe://td/web";

const hourMs = 3_600_000;
const usage = (bits: number) => new KeyUsagesExtension(bits, true);
const noAuthority = new BasicConstraintsExtension(false, undefined, true);

/** Certificates that claim to be {@link honest}, or nearly, with the reason for which both ends refuse them. */
export const oddCertificates: readonly (readonly [
  row: "T39" | "T41",
  what: string,
  issue: (authorities: Authorities) => Promise<Issued>,
  why: RegExp,
])[] = [
  ["T39", "two ids", of({ uris: [honest, "spiffe://td/admin"] }), /the certificate has 2 URIs; one is allowed beside a SPIFFE id$/],
  ["T39", "another URI beside the id", of({ uris: ["https://td/web", honest] }), /the certificate has 2 URIs; one is allowed/],
  ["T39", "a scheme in capitals", of({ uris: ["SPIFFE://td/web"] }), /"SPIFFE:\/\/td\/web" is no SPIFFE id$/],
  ["T39", "a trust domain in capitals", of({ uris: ["spiffe://TD/web"] }), /"spiffe:\/\/TD\/web" is no SPIFFE id$/],
  ["T39", "percent-encoding", of({ uris: ["spiffe://td/w%65b"] }), /"spiffe:\/\/td\/w%65b" is no SPIFFE id$/],
  ["T39", "dot segments", of({ uris: ["spiffe://td/x/../web"] }), /is no SPIFFE id$/],
  ["T39", "encoded dot segments", of({ uris: ["spiffe://td/x/%2e%2e/web"] }), /is no SPIFFE id$/],
  ["T39", "a slash at the end", of({ uris: ["spiffe://td/web/"] }), /is no SPIFFE id$/],
  ["T39", "two slashes", of({ uris: ["spiffe://td//web"] }), /is no SPIFFE id$/],
  ["T39", "a query", of({ uris: ["spiffe://td/web?x"] }), /is no SPIFFE id$/],
  ["T39", "a fragment", of({ uris: ["spiffe://td/web#x"] }), /is no SPIFFE id$/],
  ["T39", "a port", of({ uris: ["spiffe://td:443/web"] }), /is no SPIFFE id$/],
  ["T39", "user information", of({ uris: ["spiffe://x@td/web"] }), /is no SPIFFE id$/],
  ["T39", "no path", of({ uris: ["spiffe://td"] }), /spiffe:\/\/td is the id of a trust domain, which no leaf may have$/],
  [
    "T39",
    "a comma that looks like a second name",
    of({ uris: ["spiffe://td/x, URI:spiffe://td/web"] }),
    /has a character that no name needs$/,
  ],
  [
    "T39",
    "a trust domain that is not known",
    of({ uris: ["spiffe://td2/web"] }),
    /no bundle is known of the trust domain of spiffe:\/\/td2\/web$/,
  ],
  [
    "T39",
    "the authority of another trust domain",
    of({ uris: [honest] }, "far"),
    /no authority that is trusted for it has issued its certificate$|unable to get local issuer certificate$/,
  ],
  ["T39", "an unknown authority of the same name", of({ uris: [honest] }, "impostor"), /certificate signature failure$/],
  ["T39", "the id as common name alone", of({ subject: `CN=${honest}` }), /no authority that is trusted for it has issued/],
  [
    "T41",
    "the right to sign certificates",
    of({ uris: [honest], extensions: [noAuthority, usage(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign)] }),
    /has keyCertSign or cRLSign, which no leaf may have$/,
  ],
  [
    "T41",
    "an authority as leaf",
    of({
      uris: [honest],
      extensions: [new BasicConstraintsExtension(true, 1, true), usage(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign)],
    }),
    /is that of an authority, and no leaf$/,
  ],
  [
    "T41",
    "no signatures as use of its key",
    of({ uris: [honest], extensions: [noAuthority, usage(KeyUsageFlags.keyAgreement)] }),
    /the key usage of the certificate lacks digitalSignature$/,
  ],
  [
    "T41",
    "another purpose",
    of({
      uris: [honest],
      extensions: [noAuthority, usage(KeyUsageFlags.digitalSignature), new ExtendedKeyUsageExtension([ExtendedKeyUsage.codeSigning])],
    }),
    /unsuitable certificate purpose|unsupported certificate purpose/,
  ],
  [
    "T41",
    "dates of the past",
    of({ uris: [honest], notBefore: new Date(0), notAfter: new Date(Date.now() - hourMs) }),
    /certificate has expired$/,
  ],
  [
    "T41",
    "dates of the future",
    of({ uris: [honest], notBefore: new Date(Date.now() + hourMs), notAfter: new Date(Date.now() + 2 * hourMs) }),
    /not yet valid$/,
  ],
  ["T41", "an authority above it that has expired", of({ uris: [honest] }, "past"), /certificate has expired$/],
];

function of(wanted: Wanted, by: keyof Authorities = "td") {
  return (authorities: Authorities): Promise<Issued> => authorities[by].issue(wanted);
}
