import type { Socket } from "node:net";
import type { ServerRequest } from "../node-server.ts";

/** The close frame of a server with the code 1001, "going away" (RFC 6455, sections 5.5.1 and 7.4.1). */
export const goingAway: Buffer = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/** A connection that was upgraded, or is about to be. */
export class UpgradedSocket {
  readonly socket: Socket;
  readonly #isWebSocket: boolean;
  readonly #writtenBefore: number;

  constructor(request: ServerRequest, socket: Socket) {
    this.socket = socket;
    this.#isWebSocket = String(request.headers.upgrade).toLowerCase() === "websocket";
    this.#writtenBefore = socket.bytesWritten;
  }

  /** Whether it is a WebSocket that the server has agreed to: something was written since the request. */
  get isOpenWebSocket(): boolean {
    return this.#isWebSocket && this.socket.writable && this.socket.bytesWritten > this.#writtenBefore;
  }
}

const closers = new WeakMap<object, () => void>();

/** Lets something else send the close frame on a connection: bytes that are relayed come in parts of frames. */
export function closeBy(socket: object, close: () => void): void {
  closers.set(socket, close);
}

/**
 * Sends the close frame with code 1001 on a WebSocket. Libraries write whole frames in one turn, so it falls between two of them. The client answers
 * with a close frame of its own, upon which the library of the server closes the connection.
 */
export function closeWebSocket(upgraded: UpgradedSocket): void {
  if (!upgraded.isOpenWebSocket) return;
  const close = closers.get(upgraded.socket);
  if (close === undefined) upgraded.socket.write(goingAway);
  else close();
}
