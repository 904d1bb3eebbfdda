import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type Answer, decode, encode, type Packet } from "dns-packet";

/** A question as the responder got it. */
export interface Asked {
  readonly name: string;
  readonly type: string;
  readonly id: number;
  readonly hasEdns: boolean;
  readonly transport: "udp" | "tcp";
  /** Where it came from. */
  readonly port: number;
  readonly message: Buffer;
}

/** A reply: a packet, to which id and question are added, raw bytes, several of either, or nothing; by TCP also the end of the connection. */
export type Said =
  | (Packet & { readonly rcode?: number })
  | Buffer
  | readonly ((Packet & { readonly rcode?: number }) | Buffer)[]
  | "hang up"
  | undefined;

/** A DNS server on loopback that answers by its script, by UDP and TCP on one port. */
export interface Responder extends AsyncDisposable {
  readonly address: string;
  readonly asked: readonly Asked[];
  /** Resolves once `count` questions have come in. */
  untilAsked(count: number): Promise<void>;
  script: (asked: Asked) => Said;
}

/** TC, the answer was cut off. */
export const truncated = 0x0200;

/** A record, so that tests don't repeat `class: "IN"`. */
export function record<T extends Answer["type"]>(type: T, name: string, data: unknown, ttl = 60): Answer {
  return { type, name, data, ttl, class: "IN" } as Answer;
}

/** The bytes of an answer to `asked`. */
export function answerTo(asked: Asked, packet: Packet & { readonly rcode?: number }): Buffer {
  const { rcode = 0, flags = 0, ...rest } = packet;
  const questions = decode(asked.message).questions;
  return encode({ type: "response", id: asked.id, questions, ...rest, flags: flags | rcode });
}

/** Sends as a network may deliver: half of the length, the rest with half of the answer, the end. */
async function inPieces(socket: Socket, bytes: Buffer): Promise<void> {
  const half = bytes.length >> 1;
  for (const piece of [bytes.subarray(0, 1), bytes.subarray(1, half), bytes.subarray(half)]) {
    socket.write(piece);
    // Some turns of the event loop, in which the reader gets what is there.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Starts a responder on a free port. */
export async function startResponder(script: (asked: Asked) => Said): Promise<Responder> {
  for (;;) {
    const udp = createSocket("udp4");
    udp.bind(0, "127.0.0.1");
    await once(udp, "listening");
    const listening = udp.address().port;
    const tcp = createServer();
    const sockets = new Set<Socket>();
    try {
      tcp.listen(listening, "127.0.0.1");
      await once(tcp, "listening");
    } catch {
      udp.close();
      continue;
    }
    const asked: Asked[] = [];
    const waiting: { count: number; resolve: () => void }[] = [];
    const hear = (message: Buffer, transport: Asked["transport"], port: number): readonly Buffer[] => {
      const { id = 0, questions = [], additionals = [] } = decode(message);
      const question: Asked = {
        id,
        message,
        transport,
        port,
        name: questions[0]?.name ?? "",
        type: questions[0]?.type ?? "",
        hasEdns: additionals.some((added) => added.type === "OPT"),
      };
      asked.push(question);
      const said = responder.script(question);
      if (said === "hang up") sockets.forEach((socket) => void socket.end());
      for (const waiter of waiting) if (asked.length >= waiter.count) waiter.resolve();
      const all = said === undefined || said === "hang up" ? [] : Array.isArray(said) ? said : [said];
      return all.map((one: Packet | Buffer) => (Buffer.isBuffer(one) ? one : answerTo(question, one)));
    };
    udp.on("message", (message, from) => {
      for (const answer of hear(message, "udp", from.port)) udp.send(answer, from.port, from.address);
    });
    tcp.on("connection", (socket) => {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", (bytes) => {
        for (const answer of hear(bytes.subarray(2), "tcp", socket.remotePort ?? 0)) {
          const prefix = Buffer.alloc(2);
          prefix.writeUInt16BE(answer.length);
          void inPieces(socket, Buffer.concat([prefix, answer]));
        }
      });
    });
    const responder: Responder = {
      address: `127.0.0.1:${listening}`,
      asked,
      script,
      untilAsked: (count) => (asked.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve }))),
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy();
        udp.close();
        tcp.close();
        await once(tcp, "close");
      },
    };
    return responder;
  }
}
