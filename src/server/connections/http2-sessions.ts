import { constants, type ServerHttp2Session } from "node:http2";
import { isHttp2, type NodeServer } from "../node-server.ts";

/**
 * The HTTP/2 sessions of a server. They are told to go only when no stream may begin any more, by the GOAWAY of `session.close()`, which names the last
 * stream that is processed: a client repeats later ones safely. RFC 9113 (section 6.8) knows an earlier warning, with the greatest identifier. Node.js
 * cannot send it: after any GOAWAY its sessions ignore new streams, which then hang until the next one.
 */
export class Http2Sessions {
  readonly #server: NodeServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  #isClosing = false;

  constructor(server: NodeServer) {
    this.#server = server;
    if (isHttp2(server)) server.on("session", this.#onSession);
  }

  /** Number of open sessions. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Lets no stream begin, and closes each session once its streams have ended; also those that are made from now on. */
  close(): void {
    this.#isClosing = true;
    for (const session of this.#sessions) if (!session.closed) session.close();
  }

  /** Ends every session, with its streams. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }

  /** Follows no session that is made from now on. */
  dispose(): void {
    this.#server.off("session", this.#onSession);
  }

  readonly #onSession = (session: ServerHttp2Session): void => {
    this.#sessions.add(session);
    session.once("close", () => this.#sessions.delete(session));
    if (this.#isClosing) session.close();
  };
}
