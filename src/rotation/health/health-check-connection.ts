import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Cancellation } from "../../core/cancellation.ts";
import type { Upstream } from "../../core/upstream.ts";
import { type ClientIdentity, tlsConnectOptions } from "../../wire/client-identity.ts";
import { guardedLookup } from "../../wire/guarded-lookup.ts";

/**
 * A connection for one check, ready for use. It is not one of the pool's: it shows that the instance accepts connections, does not wait behind
 * requests, and does not keep the process alive. Cancellation destroys it, also after it has been made.
 * @param alpn protocols to offer to an instance that speaks TLS
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
    // Never removed: a reset that comes after the answer must not be an uncaught error.
    socket.on("error", reject);
    socket.once(endpoint.secure ? "secureConnect" : "connect", () => resolve(socket));
  });
}

function tlsOptions(host: string, identity: ClientIdentity, alpn: readonly string[]) {
  const servername = isIP(host) === 0 ? { servername: host } : undefined;
  return { ALPNProtocols: [...alpn], ...servername, ...tlsConnectOptions(identity) };
}
