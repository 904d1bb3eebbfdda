import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { now } from "./now.ts";
import { bodyFor } from "./payload.ts";
import type { JournalEntry } from "./records.ts";

/** A request that a scripted peer has read whole. */
export interface RawRequest {
  readonly id: string;
  readonly method: string;
  readonly head: string;
  /** Counted from 0 by method, over all connections of the peer: what goes by it meets each method equally often. */
  readonly number: number;
  readonly socket: Socket;
  /** The bytes of a good answer; whoever sends them has to note the end. */
  good(headers?: readonly string[]): Buffer;
  /** Notes that the request is executed, which is noted already of one that has been read whole. */
  begin(): void;
  /** Notes that the request has been executed to its end. */
  end(): void;
}

/** An HTTP/1.1 instance that does with each request what its script says. */
export interface RawPeer extends AsyncDisposable {
  readonly endpoint: { readonly id: string; readonly host: string; readonly port: number };
  readonly journal: JournalEntry[];
  /** Which variant of the script each request got, by id: what the script returned. */
  readonly given: ReadonlyMap<string, string>;
  /** Connections that were ever made. */
  readonly accepted: number;
  /** Connections that are open now. */
  readonly connections: number;
  script: RawScript;
  /** Told of a request whose body is still on its way. Where it deals with it, it returns what it did, and is told no more of it. */
  onUpload: RawScript | undefined;
}

/** Answers, or does not. Its name for what it did is kept. */
// biome-ignore lint/suspicious/noConfusingVoidType: a script may have no name for what it does
export type RawScript = (request: RawRequest) => string | void;

/** Answers as an instance should. */
export const wellBehaved: RawScript = (request) => {
  request.end();
  request.socket.write(request.good());
};

/** Starts a scripted peer on a free port. `onConnection` returns true where it deals with the connection itself. */
export async function rawPeer(id: string, script: RawScript, onConnection?: (socket: Socket) => boolean): Promise<RawPeer> {
  const journal: JournalEntry[] = [];
  const given = new Map<string, string>();
  const sockets = new Set<Socket>();
  let accepted = 0;
  const requests = new Map<string, number>();

  const execute = (socket: Socket, head: string, script = peer.script): boolean => {
    const [, method = "?"] = /^(\S+) /.exec(head) ?? [];
    const [, request = "?"] = /\r\nx-id: *([^\r]+)/i.exec(head) ?? [];
    const note = (event: JournalEntry["event"]) => void journal.push({ event, id: request, method, at: now(), instance: id });
    if (script === peer.script) note("begin");
    const number = requests.get(method) ?? 0;
    requests.set(method, number + 1);
    const variant = script({
      id: request,
      method,
      head,
      number,
      socket,
      good: (headers = []) => {
        const body = bodyFor(request);
        const lines = ["HTTP/1.1 200 OK", `x-id: ${request}`, `content-length: ${body.length}`, ...headers, "", ""];
        return Buffer.from(lines.join("\r\n") + (method === "HEAD" ? "" : body));
      },
      begin: () => note("begin"),
      end: () => note("end"),
    });
    if (typeof variant === "string") given.set(request, variant);
    return typeof variant === "string";
  };

  const server = createServer((socket) => {
    accepted++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    if (onConnection?.(socket) === true) return;
    let received = "";
    let unread = 0;
    socket.on("data", (chunk) => {
      const dropped = Math.min(unread, chunk.length);
      unread -= dropped;
      received += chunk.toString("latin1", dropped);
      for (;;) {
        const end = received.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = received.slice(0, end);
        const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
        if (received.length < end + 4 + length) {
          const isDealtWith = received.length > end + 4 && peer.onUpload !== undefined && execute(socket, head, peer.onUpload);
          // The rest of it is read away.
          if (!isDealtWith) return;
          unread = end + 4 + length - received.length;
          received = "";
          return;
        }
        received = received.slice(end + 4 + length);
        execute(socket, head);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const peer: RawPeer = {
    endpoint: { id, host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    journal,
    given,
    get accepted() {
      return accepted;
    },
    get connections() {
      return sockets.size;
    },
    script,
    onUpload: undefined,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
  return peer;
}

/** A port of the loopback on which nobody listens. */
export async function closedEndpoint(id: string): Promise<RawPeer["endpoint"]> {
  const peer = await rawPeer(id, () => {});
  await peer[Symbol.asyncDispose]();
  return peer.endpoint;
}
