import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { NodeServer, ServerReply, ServerRequest } from "../node-server.ts";

/** Sees each request of a server before its listeners do. A method that returns `true` has taken the request: no listener sees it. */
export interface Gate {
  /** `proceed` hands the request to the listeners, at once or later. */
  request(request: ServerRequest, reply: ServerReply, proceed: () => void): boolean;
  /** A stream of HTTP/2. The `request` for it follows, where the server has a listener of requests; `proceed` hands it to the listeners of streams. */
  stream(stream: ServerHttp2Stream, headers: ReceivedHeaders, proceed: () => void): boolean;
  /** A request to leave HTTP/1.1 on its connection: an upgrade, or CONNECT. `proceed` returns `false` where there is no listener of it. */
  upgrade(request: ServerRequest, socket: Duplex, proceed: () => boolean): boolean;
}

/** The headers of a stream, as its listeners get them: as an object, and as they came. */
export interface ReceivedHeaders {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

/** Takes each connection of a server before its listeners do. */
export interface Entry {
  /** `deliver` gives a connection to the listeners. */
  accept(socket: Socket, deliver: (event: "connection" | "secureConnection", socket: Socket) => void): void;
  /** A session of HTTP/2 has begun. */
  session(session: ServerHttp2Session): void;
}

/**
 * Puts a gate in front of all listeners of a server, those of a framework and those that are added later included. It takes the place of the method
 * `emit` of this one server, since a listener can be first but cannot keep an event from the others. Returns a function that takes the gate away.
 */
export function guardDoor(server: NodeServer, gate: Gate, entry?: Entry): () => void {
  const events = server as unknown as { emit(event: string | symbol, ...args: unknown[]): boolean };
  const hadOwn = Object.hasOwn(events, "emit");
  const former = events.emit;
  let isGuarded = true;
  const guarded = function (this: unknown, event: string | symbol, ...args: unknown[]): boolean {
    if (isGuarded && entry !== undefined) {
      if (event === "connection") {
        entry.accept(args[0] as Socket, (delivered, socket) => void former.call(this, delivered, socket));
        return true;
      }
      if (event === "session") entry.session(args[0] as ServerHttp2Session);
    }
    return (isGuarded && isTaken(gate, event, args, () => former.call(this, event, ...args))) || former.call(this, event, ...args);
  };
  events.emit = guarded;
  return () => {
    isGuarded = false;
    // Another tool may have put its own method on top meanwhile: that one goes on to call this one, which lets everything pass.
    if (events.emit !== guarded) return;
    if (hadOwn) events.emit = former;
    else Reflect.deleteProperty(events, "emit");
  };
}

function isTaken(gate: Gate, event: string | symbol, args: readonly unknown[], proceed: () => boolean): boolean {
  switch (event) {
    case "request":
    case "checkContinue":
    case "checkExpectation":
      return gate.request(args[0] as ServerRequest, args[1] as ServerReply, proceed);
    case "stream":
      return gate.stream(
        args[0] as ServerHttp2Stream,
        { headers: args[1] as IncomingHttpHeaders, rawHeaders: (args[3] ?? []) as readonly string[] },
        proceed,
      );
    case "upgrade":
    case "connect":
      // CONNECT over HTTP/2 has a response where that over HTTP/1.1 has the socket; its stream has been seen.
      return !("stream" in (args[1] as object)) && gate.upgrade(args[0] as ServerRequest, args[1] as Duplex, proceed);
    default:
      return false;
  }
}
