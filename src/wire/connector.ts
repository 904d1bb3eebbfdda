import type { WireSettings } from "../core/connection-options.ts";
import type { Upstream } from "../core/upstream.ts";
import type { InstanceConnector } from "./instance-connector.ts";
import { guardSession } from "./undici/http2-session.ts";
import { noticeResets } from "./undici/reset-notice.ts";
import type { Connector, Dispatcher } from "./undici/undici.ts";

/** The function by which undici gets its connections to an upstream. `allowH2` offers HTTP/2 by ALPN. */
export function upstreamConnector(instances: InstanceConnector, upstream: Upstream, wire: WireSettings, allowH2: boolean): Connector {
  const alpn = allowH2 ? ["http/1.1", "h2"] : ["http/1.1"];
  return ({ servername }, callback) => {
    instances.open(upstream, wire, { alpn, serverName: servername || undefined }, callback);
  };
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
