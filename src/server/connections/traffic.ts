import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { NodeServer, ServerReply, ServerRequest } from "../node-server.ts";
import type { Entering } from "./entering.ts";
import { endEventStream } from "./event-streams.ts";
import { Http1Sockets } from "./http1-sockets.ts";
import { Http2Sessions } from "./http2-sessions.ts";
import { ifLeftBehind } from "./left-behind.ts";
import { closeWebSocket, UpgradedSocket } from "./upgraded-socket.ts";

/** All that is under way on a server: requests and their responses, streams, connections that were upgraded, and work that is no request. */
export class Traffic {
  readonly #sockets: Http1Sockets;
  readonly #sessions: Http2Sessions;
  readonly #replies = new Set<ServerReply>();
  /** The streams of HTTP/2, with their response where a listener of requests has one. */
  readonly #streams = new Map<ServerHttp2Stream, ServerReply | undefined>();
  readonly #upgraded = new Set<UpgradedSocket>();
  #tracked = 0;
  /** Connections that are to close after their next response; `undefined` while there was none. */
  #retired: WeakSet<Socket> | undefined = undefined;
  #entering: Entering | undefined = undefined;
  /** Whether each connection is to close after its next response. */
  #isLeaving = false;
  #whenNone: (() => void) | undefined = undefined;

  constructor(server: NodeServer) {
    this.#sockets = new Http1Sockets(server);
    this.#sessions = new Http2Sessions(server);
  }

  /** Requests whose response has not ended, upgraded connections, and tracked work. */
  get open(): number {
    return this.#replies.size + this.#streams.size + this.#upgraded.size + this.#tracked;
  }

  /** Open connections. */
  get connections(): number {
    return this.#sockets.size + this.#sessions.size;
  }

  /** Whether there is a connection on which no request has come yet. */
  get hasUnusedConnections(): boolean {
    return this.#sockets.hasUnused || this.#sessions.hasUnused || (this.#entering?.size ?? 0) > 0;
  }

  /** Whether there is an HTTP/1.1 connection at rest, or one that will be when its response has ended. */
  get hasLastingConnections(): boolean {
    if (this.#sockets.hasAtRest || (this.#entering?.size ?? 0) > 0) return true;
    for (const reply of this.#replies) if ("shouldKeepAlive" in reply && reply.shouldKeepAlive) return true;
    return false;
  }

  /** A request has arrived; `onEnd` is called once its response has ended, or its connection has. Returns whether it is the first of its connection. */
  request(request: ServerRequest, reply: ServerReply, onEnd?: () => void): boolean {
    if ("stream" in request) {
      // It ends with its stream. A listener of streams writes to the stream itself.
      if (!("isOfStream" in reply)) this.#streams.set(request.stream, reply);
      if (onEnd !== undefined) reply.once("close", onEnd);
      return this.#sessions.began(request.stream.session as ServerHttp2Session | undefined);
    }
    const { socket } = request;
    const isFirst = this.#sockets.opened(socket);
    this.#replies.add(reply);
    if (this.#isLeaving || this.#retired?.has(socket) === true) closeAfter(reply);
    const end = (): void => {
      if (!this.#replies.delete(reply)) return;
      this.#sockets.closed(socket);
      onEnd?.();
      this.#check();
    };
    // Not once(), which makes two more objects: it comes once.
    (reply as NodeJS.EventEmitter).on("close", end);
    ifLeftBehind(request, reply, end);
    return isFirst;
  }

  /** A stream of HTTP/2 has begun. */
  stream(stream: ServerHttp2Stream): void {
    this.#streams.set(stream, undefined);
    stream.once("close", () => {
      this.#streams.delete(stream);
      this.#check();
    });
  }

  /** A request to leave HTTP is about to be handled on its connection. */
  upgrade(request: ServerRequest, socket: Duplex): void {
    const upgraded = new UpgradedSocket(request, socket as Socket);
    this.#sockets.upgraded(socket as Socket);
    this.#upgraded.add(upgraded);
    socket.once("close", () => {
      this.#upgraded.delete(upgraded);
      this.#check();
    });
  }

  /** Follows connections that are not the server's yet. */
  follow(entering: Entering): void {
    this.#entering = entering;
  }

  /** Lets one connection close after its next response, and what does not end by itself on it end, as {@link leave} and {@link end} do for all. */
  retire(socket: Socket): void {
    this.#retired ??= new WeakSet();
    this.#retired.add(socket);
    for (const reply of this.#replies) {
      if (reply.socket !== socket) continue;
      closeAfter(reply);
      endEventStream(reply);
    }
    for (const upgraded of this.#upgraded) if (upgraded.socket === socket) closeWebSocket(upgraded);
  }

  /** Closes an HTTP/1.1 connection on which nothing is under way. */
  endIfAtRest(socket: Socket): void {
    this.#sockets.endIfAtRest(socket);
  }

  /** Waits for work that is no request, too. */
  track(work: PromiseLike<unknown>): void {
    this.#tracked++;
    const end = (): void => {
      this.#tracked--;
      this.#check();
    };
    Promise.resolve(work).then(end, end);
  }

  /** From now on, each HTTP/1.1 connection closes after its next response. Those of responses that have not begun are told so. */
  leave(): void {
    this.#isLeaving = true;
    for (const reply of this.#replies) closeAfter(reply);
  }

  /**
   * Closes what is at rest, now and as soon as it is, and ends what would not end by itself: event streams, after an event, and WebSockets, with the
   * close code 1001 (going away).
   */
  end(): void {
    this.#entering?.end();
    this.#sockets.closeAtRest();
    for (const reply of this.#replies) endEventStream(reply);
    for (const [stream, reply] of this.#streams) endEventStream(reply ?? stream);
    this.#sessions.close();
    for (const upgraded of this.#upgraded) closeWebSocket(upgraded);
  }

  /** Resolves once nothing is under way. */
  async ended(): Promise<void> {
    if (this.open > 0) await new Promise<void>((resolve) => (this.#whenNone = resolve));
  }

  /** Ends all connections, and what is under way on them. */
  destroy(): void {
    for (const { socket } of this.#upgraded) socket.destroy();
    this.#entering?.end();
    this.#sessions.destroy();
    this.#sockets.destroy();
  }

  /** Follows nothing from now on. */
  dispose(): void {
    this.#sockets.dispose();
    this.#sessions.dispose();
  }

  #check(): void {
    if (this.open > 0) return;
    this.#whenNone?.();
    this.#whenNone = undefined;
  }
}

/** Lets the connection close after this response. A response that has begun cannot say so any more, but closes too where it said nothing else. */
function closeAfter(reply: ServerReply): void {
  if (!("shouldKeepAlive" in reply) || reply.headersSent) return;
  // Not by a header: a handler that gives all its headers to writeHead would send a second one, or remove it.
  reply.shouldKeepAlive = false;
}
