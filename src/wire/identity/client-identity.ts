import type { SecureContext, TLSSocket } from "node:tls";
import type { ExpectedPeer } from "../../identity/verify-peer.ts";
import { secureContextOf, type TlsOptions } from "../tls.ts";
import { peerNameFault } from "./peer-fault.ts";

/**
 * How this process presents itself to instances that speak TLS, and which authorities it trusts. It may change while the mesh runs:
 * pools, agents and health checks ask for it at each connection, and keep connections of different versions apart.
 */
export interface ClientIdentity {
  /** Another number after each change. */
  readonly version: number;
  /**
   * The certificate and the authorities of this version, for a peer that is known so far; `undefined`: no certificate, and Node's authorities.
   * @throws where this process has no identity that is good now.
   */
  secureContext(expected?: ExpectedPeer): SecureContext | undefined;
  /** The name that the certificates of instances must carry; `undefined`: the host of the endpoint. */
  readonly serverName: string | undefined;
  /**
   * Judges the peer of a new connection, after the handshake and before anything is sent; `undefined` for one that is as expected. Not asked where the
   * handshake's own check of the name is enough.
   */
  readonly fault?: (socket: TLSSocket, expected: ExpectedPeer) => Error | undefined;
  /** For an identity that comes later and changes by itself. */
  readonly changes?: IdentityChanges;
}

/** The life of an identity that changes by itself. */
export interface IdentityChanges {
  /** Whether there has been none yet. */
  readonly isPending: boolean;
  /** Whether there is one that is good now. */
  readonly isReady: boolean;
  /** Calls `settled` once it is no longer pending, or after `limitMs`. Returns what takes it back. */
  whenSettled(limitMs: number, settled: () => void): () => void;
  /** Calls `listener` after each change. Returns what ends it. */
  follow(listener: () => void): () => void;
  /** Ends the watch of its source, with the connections. */
  close(): void;
  /** The time within which connections of an earlier version end, in milliseconds. */
  readonly graceMs: number;
}

/**
 * The identity of the option `tls`, which never changes.
 * @throws TypeError when `ca`, `cert` and `key` are not PEM that belongs together.
 */
export function staticIdentity(tls: TlsOptions = {}): ClientIdentity {
  const secureContext = secureContextOf(tls);
  return {
    version: 1,
    secureContext: () => secureContext,
    serverName: tls.serverName,
    fault: peerNameFault,
  };
}
