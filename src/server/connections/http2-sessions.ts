import { constants, type ServerHttp2Session } from "node:http2";
import { isHttp2, type NodeServer } from "../node-server.ts";

/**
 * The HTTP/2 sessions of a server. They are told to go only when no stream may begin any more, by the GOAWAY of `session.close()`, which names the last
 * stream that is processed: a client repeats later ones safely. RFC 9113 (section 6.8) knows an earlier warning, with the greatest identifier. Node.js
 * cannot send it: after any GOAWAY its sessions ignore new streams, which then hang until the next one.
 */
export class Http2Sessions {
  readonly #server: NodeServer;
  /** The sessions, and whether a stream has begun on each. */
  readonly #sessions = new Map<ServerHttp2Session, boolean>();
  #isClosing = false;

  constructor(server: NodeServer) {
    this.#server = server;
    if (isHttp2(server)) server.on("session", this.#onSession);
  }

  /** Number of open sessions. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether there is a session without a stream: of a caller that is not known. */
  get hasUnused(): boolean {
    for (const isUsed of this.#sessions.values()) if (!isUsed) return true;
    return false;
  }

  /** A stream has begun. Returns whether it is the first one of its session. */
  began(session: ServerHttp2Session | undefined): boolean {
    if (session === undefined) return false;
    // One from before this object is known from its first stream on.
    if (!this.#sessions.has(session)) this.#onSession(session);
    if (this.#sessions.get(session) !== false) return false;
    this.#sessions.set(session, true);
    return true;
  }

  /** Lets no stream begin, and closes each session once its streams have ended; also those that are made from now on. */
  close(): void {
    this.#isClosing = true;
    for (const session of this.#sessions.keys()) if (!session.closed) session.close();
  }

  /** Ends every session, with its streams; also those from before this object, as far as Node.js knows them. */
  destroy(): void {
    for (const session of this.#sessions.keys()) session.destroy(undefined, constants.NGHTTP2_CANCEL);
    if (isHttp2(this.#server)) this.#server.close(() => {});
  }

  /** Follows no session that is made from now on. */
  dispose(): void {
    this.#server.off("session", this.#onSession);
  }

  readonly #onSession = (session: ServerHttp2Session): void => {
    this.#sessions.set(session, false);
    session.once("close", () => this.#sessions.delete(session));
    if (this.#isClosing) session.close();
  };
}
