import type { Socket } from "node:net";
import type { Cancellation } from "../../core/cancellation.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { GiveUp, Opened } from "../../wire/address-race.ts";

/** Opens a connection to an instance by the rules of its service, which does not keep the process alive. */
export type OpenConnection = (upstream: Upstream, alpn: readonly string[], opened: Opened) => GiveUp;

/**
 * A connection for one check, ready for use. It is not one of the pool's: it shows that the instance accepts connections, and does not wait behind
 * requests. Cancellation destroys it, also after it has been made.
 * @param alpn protocols to offer to an instance that speaks TLS
 */
export function connect(open: OpenConnection, upstream: Upstream, alpn: readonly string[], cancellation: Cancellation): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (cancellation.cancelled) return reject(cancellation.reason);
    let socket: Socket | undefined;
    const onCancel = (reason: unknown) => {
      reject(reason);
      giveUp(stopped);
      socket?.destroy();
    };
    const giveUp = open(upstream, alpn, (error, opened) => {
      if (error !== null) {
        cancellation.removeListener(onCancel);
        reject(error);
        return;
      }
      socket = opened;
      // Never removed: a reset that comes after the answer must not be an uncaught error.
      opened.on("error", reject);
      opened.once("close", () => {
        cancellation.removeListener(onCancel);
        reject(new Error("the connection was closed"));
      });
      resolve(opened);
    });
    cancellation.onCancel(onCancel);
  });
}

const stopped = new Error("the check was stopped");
