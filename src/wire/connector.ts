import type { Clock } from "../core/clock.ts";
import type { Upstream } from "../core/upstream.ts";
import { type ClientIdentity, tlsConnectOptions } from "./client-identity.ts";
import { connectTimeout } from "./connect-timeout.ts";
import { guardedLookup } from "./guarded-lookup.ts";
import { noticeResets } from "./undici/reset-notice.ts";
import { buildConnector, type Connector } from "./undici/undici.ts";

/** Options of {@link upstreamConnector}. */
export interface ConnectorOptions {
  readonly upstream: Upstream;
  readonly identity: ClientIdentity;
  /** Limit of one connection attempt, the TLS handshake included; asked at each. */
  readonly timeoutMs: () => number;
  readonly clock: Clock;
  /** Offers HTTP/2 by ALPN. */
  readonly allowH2: boolean;
}

/**
 * Opens connections to an upstream with the identity that this process has at that moment. undici's own connector keeps TLS sessions to
 * resume, and is made anew for each version of the identity: a session must not outlive the certificate that it was made with.
 */
export function upstreamConnector({ upstream, identity, timeoutMs, clock, allowH2 }: ConnectorOptions): Connector {
  let connector: Connector | undefined;
  let version: number | undefined;
  const connect: Connector = (target, callback) => {
    if (connector === undefined || version !== identity.version) {
      version = identity.version;
      const { socketPath } = upstream.endpoint;
      connector = buildConnector({
        // 0: the limit is `connectTimeout`, since undici counts in steps of half a second.
        timeout: 0,
        lookup: guardedLookup,
        allowH2,
        ...tlsConnectOptions(identity),
        ...(socketPath === undefined ? undefined : { socketPath }),
      });
    }
    return connector(target, callback);
  };
  return connectTimeout(connect, timeoutMs, clock);
}

/** A connector whose connections are watched for resets. */
export function noticingResets(connector: Connector): Connector {
  return (target, callback) =>
    connector(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      noticeResets(socket);
      callback(null, socket);
    });
}
