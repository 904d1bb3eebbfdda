import type { ClientHttp2Session } from "node:http2";
import { PROTOCOL_ERROR } from "./stream-errors.ts";

/** The number of nghttp2 for a frame that breaks a rule of the protocol (NGHTTP2_ERR_PROTO). */
const protocolViolation = -505;

/**
 * Frames of one stream that break a rule, such as content in the response to HEAD or more of it than the head announces. nghttp2 resets that stream (RFC
 * 9113 §8.1.1) and goes on; Node.js ends the whole session, and each request on it, since it does not tell these from violations that concern the connection.
 */
export class Violations {
  readonly #session: ClientHttp2Session;
  /** The ends of the session that wait for a stream to be named. */
  #isWaiting = false;
  #hasStream = false;

  constructor(session: ClientHttp2Session) {
    this.#session = session;
    const destroy = session.destroy.bind(session);
    session.destroy = (...given: Parameters<ClientHttp2Session["destroy"]>): void => {
      if (!isViolation(given[0])) destroy(...given);
      else this.#defer(() => destroy(...given));
    };
  }

  /** A stream was reset with this code. */
  streamFailed(code: number): void {
    if (code === PROTOCOL_ERROR) this.#hasStream = true;
  }

  /** Ends the session unless nghttp2 resets a stream for the violation, which it does in this turn of the loop or the next. */
  #defer(destroy: () => void): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#hasStream = false;
    setImmediate(() =>
      setImmediate(() => {
        this.#isWaiting = false;
        if (!this.#hasStream && !this.#session.destroyed) destroy();
      }),
    );
  }
}

function isViolation(error: unknown): boolean {
  const { code, errno } = (error ?? {}) as { readonly code?: unknown; readonly errno?: unknown };
  return code === "ERR_HTTP2_ERROR" && errno === protocolViolation;
}
