import type { WireSettings } from "../core/connection-options.ts";
import { outsideOfCalls } from "../core/outside-of-calls.ts";
import type { Upstream } from "../core/upstream.ts";
import type { InstanceConnector } from "./instance-connector.ts";
import { noticeResets } from "./undici/reset-notice.ts";
import type { Connector } from "./undici/undici.ts";

/** The function by which undici gets its connections to an upstream. `allowH2` offers HTTP/2 by ALPN. */
export function upstreamConnector(instances: InstanceConnector, upstream: Upstream, wire: WireSettings, allowH2: boolean): Connector {
  const alpn = allowH2 ? ["http/1.1", "h2"] : ["http/1.1"];
  return ({ servername }, callback) => {
    // A connection outlives the call that it is opened for: what it carries later would be seen in that call's asynchronous context. Not so that
    // of an agent, whose requests `node:http` puts into their own.
    outsideOfCalls(() => instances.open(upstream, wire, { alpn, serverName: servername || undefined }, callback));
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
