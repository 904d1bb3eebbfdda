import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Cancellation } from "../../core/cancellation.ts";
import type { Upstream } from "../../core/upstream.ts";
import { type ClientIdentity, tlsConnectOptions } from "../../wire/client-identity.ts";
import { guardedLookup } from "../../wire/guarded-lookup.ts";

/**
 * A connection for one check, ready for use. One of its own, not one of the pool's: it shows that the instance accepts connections,
 * does not wait behind requests, and keeps no process alive. It is destroyed on cancellation, also after it is made.
 * @param alpn protocols offered to an instance that speaks TLS
 */
export function connect(
  { endpoint }: Upstream,
  identity: ClientIdentity,
  alpn: readonly string[],
  cancellation: Cancellation,
): Promise<Socket> {
  const { host, port, socketPath } = endpoint;
  return new Promise((resolve, reject) => {
    const target = socketPath === undefined ? { host, port, lookup: guardedLookup } : { host, path: socketPath };
    const socket: Socket | TLSSocket = endpoint.secure
      ? connectTls({ ...target, ...tlsOptions(host, identity, alpn) })
      : connectTcp(target);
    socket.unref();
    const onCancel = (reason: unknown) => {
      socket.destroy();
      reject(reason);
    };
    cancellation.onCancel(onCancel);
    socket.once("close", () => {
      cancellation.removeListener(onCancel);
      reject(new Error("the connection was closed"));
    });
    // For good: a reset that comes when the check has its answer must not be an uncaught error.
    socket.on("error", reject);
    socket.once(endpoint.secure ? "secureConnect" : "connect", () => resolve(socket));
  });
}

function tlsOptions(host: string, identity: ClientIdentity, alpn: readonly string[]) {
  const servername = isIP(host) === 0 ? { servername: host } : undefined;
  return { ALPNProtocols: [...alpn], ...servername, ...tlsConnectOptions(identity) };
}
