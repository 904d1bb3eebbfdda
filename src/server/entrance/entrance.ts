import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { describeError } from "../../core/errors.ts";
import type { ConnectionRefusal } from "../../core/observing/connection-refusal.ts";
import { IdentityUnavailable } from "../../identity/identity-unavailable.ts";
import { PeerRefused } from "../../identity/peer-refused.ts";
import type { Entering } from "../connections/entering.ts";
import { isHttp1Allowed, isHttp2, isSecure, type NodeServer } from "../node-server.ts";
import { noteClearText } from "./clear-text.ts";
import type { EnteredConnection, EntranceParts } from "./entrance-parts.ts";
import { type Opening, tellOpening } from "./first-bytes.ts";
import { shakeHands } from "./handshake.ts";
import { SecuredConnections } from "./secured-connections.ts";

/** Refusals of one reason are said once in this time, in milliseconds: each connection of a fleet may be refused. */
const sayAgainMs = 10_000;

/**
 * The entrance of a server with an identity. Every connection is told apart by its first byte before the server sees it: TLS is ended here, its client
 * verified; clear text passes where the mode is permissive. A connection that is refused ends, and no request of it is read.
 */
export class Entrance implements Entering {
  readonly #parts: EntranceParts;
  readonly #waiting = new Set<Socket>();
  readonly #secured: SecuredConnections;
  readonly #saidAt = new Map<string, number>();
  /** Connections that end from now on end because the server does. */
  #isEnding = false;
  /** The connection that the server is being given now. */
  #delivering: TLSSocket | undefined = undefined;

  constructor(parts: EntranceParts) {
    this.#parts = parts;
    this.#secured = new SecuredConnections(parts);
  }

  /** Connections that have not entered yet. */
  get size(): number {
    return this.#waiting.size;
  }

  /** A connection has been accepted. `deliver` gives it to the listeners of the server. */
  accept(socket: Socket, deliver: (event: "connection" | "secureConnection", socket: Socket) => void): void {
    const { clock, settings, server, identity, tell } = this.#parts;
    // It is not known any more once the connection has closed.
    const peerAddress = socket.remoteAddress;
    this.#waiting.add(socket);
    const onError = (): void => {};
    socket.on("error", onError);
    let encryption: EnteredConnection["encryption"];
    let isOver = false;
    const refuse = (why: string, refusal: ConnectionRefusal, error?: Error): void => {
      socket.destroy();
      if (isOver || this.#isEnding) return;
      isOver = true;
      this.#refused(why);
      tell({ peerAddress, encryption, refusal, error });
    };
    const timer = clock.setTimer(
      () => refuse(`no ${settings.mode === "strict" ? "TLS handshake" : "request"} within ${settings.handshakeMs} ms`, "timeout"),
      settings.handshakeMs,
      false,
    );
    const leave = (): void => {
      clock.clearTimer(timer);
      this.#waiting.delete(socket);
    };
    socket.once("close", leave);
    const enter = (entering: Socket): void => {
      leave();
      socket.off("close", leave);
      if (entering === socket) socket.off("error", onError);
      tell({ peerAddress, encryption, refusal: undefined, error: undefined });
      deliver(isSecure(server) ? "secureConnection" : "connection", entering);
    };
    tellOpening(socket, (opening) => {
      if (opening === "closed") {
        socket.destroy();
        return;
      }
      encryption = opening === "tls" ? "tls" : "none";
      if (opening !== "tls") {
        if (settings.mode === "strict") refuse("a connection in clear text, and only TLS is allowed (callers.mode)", "clear-text");
        else this.#enterPlain(socket, opening, enter);
        return;
      }
      // That of the certificate which is shown: the identity may change before the handshake has ended.
      const { version } = identity;
      shakeHands(socket, { identity, settings, alpn: alpnOf(server) }, (error, secured) => {
        if (error !== null) {
          refuse(reasonOf(error, settings.minVersion), refusalOf(error), error);
          return;
        }
        this.#secured.add(secured, version);
        this.#delivering = secured;
        // As the server of Node.js does: HTTP/1.1 on a server of both protocols needs it in Node 22.
        Object.assign(secured, { server });
        enter(secured);
        this.#delivering = undefined;
      });
    });
  }

  /** A session of HTTP/2 has begun, in the turn in which its connection entered. */
  session(session: ServerHttp2Session): void {
    if (this.#delivering !== undefined) this.#secured.session(this.#delivering, session);
  }

  /** Ends those that have not entered. */
  end(): void {
    this.#isEnding = true;
    for (const socket of this.#waiting) socket.destroy();
  }

  /** Ends all timers, and the watch of the identity. */
  close(): void {
    this.end();
    this.#secured.close();
  }

  #enterPlain(socket: Socket, opening: Opening, enter: (socket: Socket) => void): void {
    const { server } = this.#parts;
    noteClearText(socket);
    // A server of both protocols asks the handshake for the one.
    if (isSecure(server)) Object.assign(socket, { alpnProtocol: opening === "http2" ? "h2" : "http/1.1" });
    enter(socket);
  }

  #refused(why: string): void {
    const { clock, log } = this.#parts;
    const now = clock.now();
    if (now - (this.#saidAt.get(why) ?? Number.NEGATIVE_INFINITY) < sayAgainMs) return;
    if (this.#saidAt.size >= 100) this.#saidAt.clear();
    this.#saidAt.set(why, now);
    log(`has refused a connection: ${why}`);
  }
}

/** The protocols that a server speaks, the preferred one first. */
function alpnOf(server: NodeServer): readonly string[] {
  if (!isHttp2(server)) return ["http/1.1"];
  return isHttp1Allowed(server) ? ["h2", "http/1.1"] : ["h2"];
}

function refusalOf(error: Error): ConnectionRefusal {
  if (error instanceof PeerRefused) return error.reason;
  return error instanceof IdentityUnavailable ? "identity" : "handshake";
}

/** Messages of OpenSSL have the number of a thread in front, and end in a new line. */
function reasonOf(error: Error, minVersion: string): string {
  const { code } = error as { readonly code?: unknown };
  // As the sidecars of Consul do where they call, unless they are told otherwise.
  if (code === "ERR_SSL_UNSUPPORTED_PROTOCOL") return `${code}: its client speaks no ${minVersion} (callers.minVersion)`;
  return typeof code === "string" && code.startsWith("ERR_SSL_") ? code : describeError(error);
}
