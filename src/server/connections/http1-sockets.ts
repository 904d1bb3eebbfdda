import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { isHttp2, isSecure, type NodeServer } from "../node-server.ts";

/** An HTTP/1.1 connection. */
interface Connection {
  /** Requests on it that have not been answered to the end. */
  open: number;
  /** Whether a request has come on it. */
  isUsed: boolean;
  /** Whether it was upgraded: its end is up to what it was upgraded to. */
  isUpgraded: boolean;
  /** Bytes read when it was last at rest. More have been read since where a request is arriving. */
  readAtRest: number;
}

/**
 * The HTTP/1.1 connections of a server. Node's own way of closing idle ones leaves those open that have never sent anything, as clients make them
 * ahead of their first request.
 */
export class Http1Sockets {
  readonly #server: NodeServer;
  readonly #connections = new Map<Socket, Connection>();
  /** TLS connections before the end of their handshake, by the address of the client. */
  readonly #handshakes = new Map<string, Socket>();
  #isClosing = false;

  constructor(server: NodeServer) {
    this.#server = server;
    if (isSecure(server)) {
      server.on("connection", this.#onHandshake);
      server.on("secureConnection", this.#onSecured);
    } else if (!isHttp2(server)) server.on("connection", this.#onConnection);
  }

  /** Number of open connections. */
  get size(): number {
    return this.#connections.size;
  }

  /** Whether there is a connection on which no request has come yet: of a caller that is not known. */
  get hasUnused(): boolean {
    for (const { isUsed } of this.#connections.values()) if (!isUsed) return true;
    return this.#handshakes.size > 0;
  }

  /** Whether there is a connection at rest, on which a request may come at any time. */
  get hasAtRest(): boolean {
    for (const { open, isUpgraded } of this.#connections.values()) if (open === 0 && !isUpgraded) return true;
    return this.#handshakes.size > 0;
  }

  /** A request has arrived. Returns whether it is the first one of its connection. */
  opened(socket: Socket): boolean {
    const connection = this.#of(socket);
    connection.open++;
    if (connection.isUsed) return false;
    connection.isUsed = true;
    return true;
  }

  /** The response to a request has ended. */
  closed(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.open--;
    connection.readAtRest = socket.bytesRead;
    if (this.#isClosing) endIfAtRest(socket, connection);
  }

  /** The connection is not one of HTTP any more. */
  upgraded(socket: Socket): void {
    const connection = this.#of(socket);
    connection.isUsed = true;
    connection.isUpgraded = true;
  }

  /**
   * Closes connections that are at rest, now and as soon as they are: the ones that have never sent anything, and those whose requests have been
   * answered. One on which a request is arriving stays.
   */
  closeAtRest(): void {
    this.#isClosing = true;
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const [socket, connection] of this.#connections) endIfAtRest(socket, connection);
  }

  /** Closes one connection, if it is at rest. */
  endIfAtRest(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined) endIfAtRest(socket, connection);
  }

  /** Ends every connection, whatever is under way on it; also those from before this object on which no request has come. */
  destroy(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
    for (const socket of this.#handshakes.values()) socket.destroy();
    if ("closeAllConnections" in this.#server) this.#server.closeAllConnections();
  }

  /** Follows no connection that is made from now on. */
  dispose(): void {
    this.#server.off("connection", this.#onHandshake);
    this.#server.off("connection", this.#onConnection);
    this.#server.off("secureConnection", this.#onSecured);
  }

  readonly #onHandshake = (socket: Socket): void => {
    const client = clientOf(socket);
    if (client === undefined) return;
    this.#handshakes.set(client, socket);
    socket.once("close", () => {
      if (this.#handshakes.get(client) === socket) this.#handshakes.delete(client);
    });
  };

  readonly #onSecured = (socket: TLSSocket): void => {
    const client = clientOf(socket);
    if (client !== undefined) this.#handshakes.delete(client);
    // HTTP/2 has sessions, which are followed as such.
    if (socket.alpnProtocol !== "h2") this.#onConnection(socket);
  };

  readonly #onConnection = (socket: Socket): void => {
    this.#of(socket);
  };

  /** A connection that was made before this object is known from its first request on. */
  #of(socket: Socket): Connection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = { open: 0, isUsed: false, isUpgraded: false, readAtRest: 0 };
      this.#connections.set(socket, connection);
      socket.once("close", () => this.#connections.delete(socket));
    }
    return connection;
  }
}

function endIfAtRest(socket: Socket, { open, isUpgraded, readAtRest }: Connection): void {
  // What was written last is still sent.
  if (open === 0 && !isUpgraded && socket.bytesRead === readAtRest) socket.destroySoon();
}

/** The address of the client; `undefined` for a Unix socket, and for one that is closed. */
function clientOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
