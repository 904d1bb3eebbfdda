import { once } from "node:events";
import { createServer as createH2cServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type Duplex, duplexPair } from "node:stream";
import { now } from "./now.ts";
import { bodyFor } from "./payload.ts";
import type { JournalEntry } from "./records.ts";

/** A request on a stream of a scripted HTTP/2 peer. */
export interface H2Request {
  readonly id: string;
  readonly method: string;
  /** Counted from 0 by method, over all connections of the peer: what goes by it meets each method equally often. */
  readonly number: number;
  /** Counted from 0. */
  readonly connection: number;
  /** Ends the stream with an error code, and says nothing else about it. */
  reset(code: number): void;
  /** Begins to execute it. */
  begin(): void;
  /** Sends the head and the first half of the body; it has been begun then. */
  half(): Promise<void>;
  /** Executes it and answers as an instance should. */
  answer(): void;
  /** Closes the connection for new streams: those above `lastStream` have not been processed. */
  goaway(lastStream: number, code?: number): void;
  /** Ends the connection. */
  hangUp(): void;
}

/** Does with a request what it likes and gives it a name. */
export type H2Script = (request: H2Request) => string;

/** An HTTP/2 instance (h2c) that does with each stream what its script says, frame by frame. */
export interface H2Peer extends AsyncDisposable {
  readonly endpoint: { readonly id: string; readonly host: string; readonly port: number };
  readonly journal: JournalEntry[];
  readonly given: ReadonlyMap<string, string>;
  readonly accepted: number;
  readonly connections: number;
  script: H2Script;
  /** From now on the connections there are swallow everything, in both directions, as behind a NAT that has lost its state. New ones work. */
  swallow(): void;
  /** Allows so many streams at a time on each connection, also on those to come. */
  allow(maxConcurrentStreams: number): void;
}

/** Error codes of RFC 9113 §7. */
export const h2Codes = { noError: 0, internalError: 2, refusedStream: 7, cancel: 8 } as const;

const frameTypes = { rstStream: 3, goaway: 7 } as const;

/** One frame (RFC 9113 §4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, index * 4);
  });
  return bytes;
}

/** Cuts a stream of bytes into frames and hands on those that `passes` lets through. */
function frames(passes: (type: number, stream: number) => boolean, onFrame: (bytes: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9) {
      const length = 9 + rest.readUIntBE(0, 3);
      if (rest.length < length) return;
      if (passes(rest.readUInt8(3), rest.readUInt32BE(5) & 0x7fffffff)) onFrame(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  };
}

/**
 * Starts a scripted peer on a free port. Behind it is a server of node:http2, which reads the compressed headers; what it says passes
 * through here frame by frame, so that a stream can be muted and other frames said in its place.
 */
export async function h2Peer(id: string, script: H2Script): Promise<H2Peer> {
  const journal: JournalEntry[] = [];
  const given = new Map<string, string>();
  const sockets = new Set<Socket>();
  const swallowing = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  let maxStreams: number | undefined;
  const behind = createH2cServer();
  let accepted = 0;
  const requests = new Map<string, number>();

  const server = createServer((socket) => {
    const connection = accepted++;
    sockets.add(socket);
    const muted = new Set<number>();
    const [outside, inside]: [Duplex, Duplex] = duplexPair();
    socket.on("error", () => {});
    outside.on("error", () => {});
    inside.on("error", () => {});
    socket.on("data", (chunk) => {
      if (!swallowing.has(socket)) outside.write(chunk);
    });
    socket.on("close", () => {
      sockets.delete(socket);
      swallowing.delete(socket);
      outside.destroy();
      inside.destroy();
    });
    const pass = frames(
      (type, stream) => !muted.has(stream) && type !== frameTypes.goaway,
      (bytes) => {
        if (!swallowing.has(socket)) socket.write(bytes);
      },
    );
    outside.on("data", pass);
    behind.once("session", (session: ServerHttp2Session) => {
      session.on("error", () => {});
      sessions.add(session);
      session.on("close", () => sessions.delete(session));
      if (maxStreams !== undefined) session.settings({ maxConcurrentStreams: maxStreams });
      session.on("stream", (stream, headers) => {
        stream.on("error", () => {});
        stream.resume();
        // A POST is whole when its body is; Node tells the end of one that was reset, too.
        stream.on("end", () => {
          if (stream.aborted) return;
          execute(stream, String(headers["x-id"]), String(headers[":method"]), { socket, muted, connection });
        });
      });
    });
    behind.emit("connection", inside);
  });

  const execute = (
    stream: ServerHttp2Stream,
    request: string,
    method: string,
    { socket, muted, connection }: { readonly socket: Socket; readonly muted: Set<number>; readonly connection: number },
  ): void => {
    let hasBegun = false;
    const note = (event: JournalEntry["event"]) => void journal.push({ event, id: request, method, at: now(), instance: id });
    const begin = () => {
      if (!hasBegun) note("begin");
      hasBegun = true;
    };
    const body = bodyFor(request);
    const head = { ":status": 200, "x-id": request, "content-length": body.length };
    const streamId = stream.id as number;
    const number = requests.get(method) ?? 0;
    requests.set(method, number + 1);
    const name = peer.script({
      id: request,
      method,
      number,
      connection,
      begin,
      reset(code) {
        muted.add(streamId);
        socket.write(frame(frameTypes.rstStream, 0, streamId, uint32(code)));
      },
      async half() {
        begin();
        stream.respond(head);
        stream.write(body.slice(0, body.length >> 1));
        await new Promise((resolve) => setTimeout(resolve, 10));
      },
      answer() {
        begin();
        note("end");
        if (stream.destroyed) return;
        stream.respond(head);
        stream.end(body);
      },
      goaway(lastStream, code = h2Codes.noError) {
        socket.write(frame(frameTypes.goaway, 0, 0, uint32(lastStream, code)));
      },
      hangUp: () => void socket.destroy(),
    });
    given.set(request, name);
    // Read, and not executed: an attempt all the same.
    if (!hasBegun) note("refuse");
  };

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const peer: H2Peer = {
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
    swallow() {
      for (const socket of sockets) swallowing.add(socket);
    },
    allow(maxConcurrentStreams) {
      maxStreams = maxConcurrentStreams;
      for (const session of sessions) session.settings({ maxConcurrentStreams });
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      behind.close();
      server.close();
      await once(server, "close");
    },
  };
  return peer;
}
