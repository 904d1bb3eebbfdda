import type { ServerHttp2Session } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Timer } from "../../core/clock.ts";
import type { EntranceParts } from "./entrance-parts.ts";

/** A connection over TLS, and what ends it. */
interface Secured {
  session: ServerHttp2Session | undefined;
  timer: Timer;
}

/**
 * The connections over TLS, of which those end that were made before the identity or its authorities changed: each at a moment of its own, so that callers
 * do not come back all at once. An HTTP/1.1 connection is told so by its next response; HTTP/2 gets the GOAWAY that names the last stream.
 */
export class SecuredConnections {
  readonly #parts: EntranceParts;
  readonly #open = new Map<TLSSocket, Secured>();
  readonly #leave: () => void;
  #version: number;

  constructor(parts: EntranceParts) {
    this.#parts = parts;
    this.#version = parts.identity.version;
    this.#leave = parts.identity.follow(({ version }) => {
      if (version === this.#version) return;
      this.#version = version;
      this.#renew();
    });
  }

  /** A connection has been made, with the identity of that version. */
  add(socket: TLSSocket, version: number): void {
    const secured: Secured = { session: undefined, timer: undefined };
    this.#open.set(socket, secured);
    if (version !== this.#version) this.#awaitMoment(socket, secured);
    socket.once("close", () => {
      this.#parts.clock.clearTimer(this.#open.get(socket)?.timer);
      this.#open.delete(socket);
    });
  }

  session(socket: TLSSocket, session: ServerHttp2Session): void {
    const secured = this.#open.get(socket);
    if (secured !== undefined) secured.session = session;
  }

  close(): void {
    this.#leave();
    for (const { timer } of this.#open.values()) this.#parts.clock.clearTimer(timer);
    this.#open.clear();
  }

  /** Those that are on their way out already keep their moment. */
  #renew(): void {
    for (const [socket, secured] of this.#open) this.#awaitMoment(socket, secured);
  }

  #awaitMoment(socket: TLSSocket, secured: Secured): void {
    const { clock, random, settings } = this.#parts;
    secured.timer ??= clock.setTimer(() => this.#retire(socket, secured), (random() * settings.renewMs) / 2, false);
  }

  #retire(socket: TLSSocket, secured: Secured): void {
    const { clock, settings, retire, endIfAtRest } = this.#parts;
    if (secured.session !== undefined) {
      if (!secured.session.closed) secured.session.close();
      return;
    }
    retire(socket);
    // One that has sent no request meanwhile is closed at rest.
    secured.timer = clock.setTimer(() => endIfAtRest(socket), settings.renewMs / 2, false);
  }
}
