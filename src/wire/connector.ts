import type { Clock } from "../core/clock.ts";
import { outsideOfCalls } from "../core/outside-of-calls.ts";
import type { Upstream } from "../core/upstream.ts";
import { type ClientIdentity, tlsConnectOptions } from "./client-identity.ts";
import { connectTimeout } from "./connect-timeout.ts";
import { guardedLookup } from "./guarded-lookup.ts";
import { guardSession } from "./undici/http2-session.ts";
import { noticeResets } from "./undici/reset-notice.ts";
import { buildConnector, type Connector, type Dispatcher } from "./undici/undici.ts";

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
    const open = connector;
    // A connection outlives the call that it is opened for: what it carries later would be seen in that call's context.
    outsideOfCalls(() => open(target, callback));
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

/**
 * A connector whose HTTP/2 connections are guarded from before their first request. `alpn` is the protocol that undici is to speak on
 * connections that negotiate none.
 */
export function guardingSessions(connector: Connector, clientOf: () => Dispatcher, onGoAway: () => void, alpn?: "h2"): Connector {
  return (target, callback) => {
    connector(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      if (alpn !== undefined) Object.assign(socket, { alpnProtocol: alpn });
      // undici makes the session when it is given the socket, emits "connect", and only then sends.
      const client = clientOf();
      const onConnect = () => guardSession(socket, { onGoAway });
      client.once("connect", onConnect);
      callback(null, socket);
      client.off("connect", onConnect);
    });
  };
}

/** A connector that calls `onChoice` with the protocol that an instance with TLS has chosen. With `requiresH2` any other than HTTP/2 is an error. */
export function negotiating(connector: Connector, requiresH2: boolean, onChoice: (isH2: boolean) => void): Connector {
  return (target, callback) =>
    connector(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      if ("alpnProtocol" in socket) {
        const isH2 = socket.alpnProtocol === "h2";
        if (requiresH2 && !isH2) {
          socket.destroy();
          return callback(new NoHttp2(target.host ?? target.hostname), null);
        }
        onChoice(isH2);
      }
      callback(null, socket);
    });
}

class NoHttp2 extends Error {
  readonly code = "ERR_TLS_NO_HTTP2";

  constructor(host: string) {
    super(`${host} does not speak HTTP/2 (ALPN)`);
  }
}
