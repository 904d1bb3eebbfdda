import type { Duplex } from "node:stream";
import type { Upstream } from "../core/upstream.ts";

/** Connections outside of the pools that wait for their next request, by instance, so that they close when it leaves the rotation. */
export class IdleSockets {
  readonly #sockets = new Map<Upstream, Set<Duplex>>();
  #isClosed = false;

  /** Takes a connection that has become idle; `false` where it is to be closed instead, since its instance takes no further requests. */
  add(upstream: Upstream, socket: Duplex): boolean {
    if (this.#isClosed || upstream.removed || upstream.state === "ejected" || upstream.state === "unhealthy") return false;
    const known = this.#sockets.get(upstream);
    if (known === undefined) this.#sockets.set(upstream, new Set([socket]));
    else known.add(socket);
    return true;
  }

  /** The connection is in use again, or has closed. */
  remove(upstream: Upstream, socket: Duplex): void {
    const known = this.#sockets.get(upstream);
    if (known?.delete(socket) && known.size === 0) this.#sockets.delete(upstream);
  }

  /** The instances with idle connections. */
  get upstreams(): Iterable<Upstream> {
    return this.#sockets.keys();
  }

  /** Closes the idle connections to an instance. */
  release(upstream: Upstream): void {
    const known = this.#sockets.get(upstream);
    this.#sockets.delete(upstream);
    for (const socket of known ?? []) socket.destroy();
  }

  /** Closes all, and takes no more. */
  close(): void {
    this.#isClosed = true;
    for (const upstream of [...this.#sockets.keys()]) this.release(upstream);
  }
}
