import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../core/clock.ts";
import type { ConnectionReading } from "../../core/observing/connection-reading.ts";
import type { Upstream } from "../../core/upstream.ts";
import { leafOf } from "../../identity/shown-certificates.ts";
import { verifyNames } from "../../identity/verify-peer.ts";

interface Shown {
  readonly certificate: X509Certificate;
  readonly tls: string;
  readonly protocol: "h1" | "h2";
  readonly atMs: number;
}

/** The newest handshake with each instance, for explanations. Nothing of a certificate is read before one is asked for. */
export class ShownPeers {
  readonly #clock: Clock;
  readonly #byUpstream = new WeakMap<Upstream, Shown>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A connection was made, and its peer admitted. */
  note(upstream: Upstream, socket: TLSSocket): void {
    const certificate = leafOf(socket);
    if (certificate === undefined) return;
    const protocol = socket.alpnProtocol === "h2" ? "h2" : "h1";
    this.#byUpstream.set(upstream, { certificate, tls: socket.getProtocol() ?? "TLS", protocol, atMs: this.#clock.wallNow() });
  }

  /** The newest connection to an instance; `undefined` where there was none. */
  of(upstream: Upstream): ConnectionReading | undefined {
    const shown = this.#byUpstream.get(upstream);
    if (shown === undefined) return undefined;
    const { certificate, ...facts } = shown;
    return { ...facts, identity: identityIn(certificate), expiresAtMs: certificate.validToDate.getTime() };
  }
}

function identityIn(certificate: X509Certificate): string {
  try {
    const { id, dnsNames, subject } = verifyNames(certificate, {});
    return id?.text ?? dnsNames[0] ?? subject;
  } catch {
    // The handshake alone has judged it.
    return certificate.subject;
  }
}
