import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { untraced } from "../../core/observing/untraced.ts";
import { type Query, type Reply, readReply } from "./message.ts";
import type { DnsServer } from "./server.ts";

/** The limits of one query to one server. */
export interface QueryLimits {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Sends `query` in one datagram and resolves with the first reply that fits it. Rejects when the server cannot be reached or does not
 * answer within `timeoutMs`, and with `signal.reason` on abort. Each query has a socket of its own, so that a forger has to guess its port
 * beside the id; the socket is connected, so that packets of other senders never arrive.
 */
export function queryByUdp(server: DnsServer, query: Query, limits: QueryLimits): Promise<Reply> {
  return bounded(limits, ({ resolve, reject, ignored }) => {
    const socket = createSocket(server.family === 6 ? "udp6" : "udp4");
    let isClosed = false;
    socket.on("error", reject);
    socket.on("message", (message) => {
      const reply = readReply(message, query);
      if (typeof reply === "string") ignored(reply);
      else resolve(reply);
    });
    socket.connect(server.port, server.host, () => {
      if (!isClosed) socket.send(query.bytes);
    });
    return () => {
      isClosed = true;
      socket.close();
    };
  });
}

/** Sends `query` over a TCP connection (RFC 7766), for answers that do not fit a datagram. Rejects like {@link queryByUdp}. */
export function queryByTcp(server: DnsServer, query: Query, limits: QueryLimits): Promise<Reply> {
  return bounded(limits, ({ resolve, reject }) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const socket = connect({ host: server.host, port: server.port });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed the TCP connection after ${received} bytes`)));
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received < 2) return;
      const bytes = Buffer.concat(chunks);
      const length = bytes.readUInt16BE(0);
      if (received < length + 2) return;
      const reply = readReply(bytes.subarray(2, length + 2), query);
      if (typeof reply === "string") reject(new Error(`sent ${reply} by TCP`));
      else resolve(reply);
    });
    const prefix = Buffer.alloc(2);
    prefix.writeUInt16BE(query.bytes.length);
    socket.write(Buffer.concat([prefix, query.bytes]));
    return () => socket.destroy();
  });
}

interface Settle<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
  /** A message arrived that is not the answer. It is named in the error when no answer follows. */
  ignored(what: string): void;
}

/** Runs a query until it settles, its time is up or the signal aborts; then releases the socket and the timer. */
function bounded<T>(limits: QueryLimits, start: (settle: Settle<T>) => () => void): Promise<T> {
  const { clock, timeoutMs, signal } = limits;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let lastIgnored: string | undefined;
    let release: (() => void) | undefined;
    const end = () => {
      clock.clearTimer(timer);
      signal.removeEventListener("abort", onAbort);
      release?.();
      release = undefined;
    };
    const fail = (error: unknown) => {
      end();
      reject(error);
    };
    const onAbort = () => fail(signal.reason);
    const onTimeout = () => {
      const ignored = lastIgnored === undefined ? "" : ` (what came was ignored: ${lastIgnored})`;
      fail(new Error(`did not answer within ${timeoutMs} ms${ignored}`));
    };
    const timer = clock.setTimer(onTimeout, timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const settle: Settle<T> = {
        resolve(value) {
          end();
          resolve(value);
        },
        reject: fail,
        ignored(what) {
          lastIgnored = what;
        },
      };
      release = untraced(() => start(settle));
    } catch (error) {
      fail(error);
    }
  });
}
