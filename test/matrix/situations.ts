import type { Socket } from "node:net";
import { errorCode, type PeerConnection } from "../behaviour/http2-connection.ts";

/** The behaviour of a peer and of the caller. */
export interface Situation {
  readonly name: string;
  /** Called with each request head that has arrived, and its number: 1 for the first. Without it (and `onStream`) no server listens. */
  readonly onHead?: (socket: Socket, count: number) => void;
  /** The client speaks HTTP/2, the peer does not. */
  readonly isHttp2?: boolean;
  /** The same over HTTP/2, where a request has arrived whole. */
  readonly onStream?: (connection: PeerConnection, streamId: number, count: number) => void;
  /** The peer reads nothing and resets the connection. */
  readonly isDeaf?: boolean;
  /** A call before the one that counts, so that it finds a connection, and so many milliseconds between the two. */
  readonly warmUpMs?: number;
  /** When the caller gives up. */
  readonly abort?: "before the head" | "in the body";
}

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";
const answer = (text: string) => (socket: Socket) => void socket.write(text);
const thenEnd = (text: string) => (socket: Socket) => void socket.end(text);
const thenReset = (text: string) => (socket: Socket) => void socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 30));
/** The same while the client is busy: the last bytes and the reset wait for it together. Peer and client are one process here. */
const thenResetUnheard = (text: string) => (socket: Socket) => {
  socket.write(text);
  socket.resetAndDestroy();
  const until = performance.now() + 30;
  while (performance.now() < until);
};
/** The first request fares otherwise than those after it. */
const first = (failure: (socket: Socket) => void) => (socket: Socket, count: number) => (count === 1 ? failure : answer(ok))(socket);
const keptThen = (end: (socket: Socket) => void) => (socket: Socket, count: number) => {
  if (count === 2) end(socket);
  else socket.write(ok);
};

const head = (...lines: readonly string[]): string => `${["HTTP/1.1 200 OK", ...lines].join("\r\n")}\r\n\r\n`;

const fine = (connection: PeerConnection, streamId: number): void => {
  connection.head(streamId, 200);
  connection.data(streamId, "fine", true);
};
const firstStream =
  (failure: (connection: PeerConnection, streamId: number) => void) =>
  (connection: PeerConnection, streamId: number, count: number): void =>
    (count === 1 ? failure : fine)(connection, streamId);
const cutOffBy =
  (code: number) =>
  (connection: PeerConnection, streamId: number): void => {
    connection.head(streamId, 200);
    connection.data(streamId, "part");
    setTimeout(() => connection.resetStream(streamId, code), 30);
  };

/** In the order of the table. Every one is played with a GET and a POST. */
export const situations: readonly Situation[] = [
  { name: "whole answer", onHead: answer(ok) },

  { name: "no server" },
  { name: "accepted, unread, reset", isDeaf: true },
  { name: "read, reset", onHead: (socket) => void socket.resetAndDestroy() },
  { name: "read, reset, the next answered", onHead: first((socket) => socket.resetAndDestroy()) },
  { name: "read, closed", onHead: (socket) => void socket.end() },
  { name: "half a head, closed", onHead: thenEnd("HTTP/1.1 200 OK\r\ncontent-le") },
  { name: "half a head, reset", onHead: thenReset("HTTP/1.1 200 OK\r\ncontent-le") },

  { name: "length, closed too early", onHead: thenEnd(`${head("content-length: 9")}part`) },
  { name: "length, reset", onHead: thenReset(`${head("content-length: 9")}part`) },
  { name: "chunked, closed too early", onHead: thenEnd(`${head("transfer-encoding: chunked")}4\r\npart\r\n`) },
  { name: "chunked, reset", onHead: thenReset(`${head("transfer-encoding: chunked")}4\r\npart\r\n`) },
  { name: "chunked, size that is none", onHead: answer(`${head("transfer-encoding: chunked")}4\r\npart\r\nzz\r\n`) },
  { name: "until closed, closed", onHead: thenEnd(`${head("connection: close")}fine`) },
  { name: "until closed, reset", onHead: thenReset(`${head("connection: close")}part`) },
  { name: "until closed, reset with the bytes", onHead: thenResetUnheard(`${head("connection: close")}part`) },
  { name: "HTTP/1.0, closed", onHead: thenEnd("HTTP/1.0 200 OK\r\n\r\nfine") },

  { name: "no HTTP", onHead: answer("SSH-2.0-OpenSSH_9.6\r\n\r\n") },
  { name: "103, 200", onHead: answer(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok}`) },
  { name: "100 unasked, 200", onHead: answer(`HTTP/1.1 100 Continue\r\n\r\n${ok}`) },
  { name: "two lengths that differ", onHead: answer(`${head("content-length: 4", "content-length: 5")}fine`) },
  { name: "length and chunked", onHead: answer(`${head("content-length: 4", "transfer-encoding: chunked")}4\r\nfine\r\n0\r\n\r\n`) },
  { name: "head of 20 KiB", onHead: answer(`${head("content-length: 4", `x-long: ${"x".repeat(20_480)}`)}fine`) },
  { name: "NUL in a header", onHead: answer(`${head("content-length: 4", "x-bad: a\0b")}fine`) },

  { name: "kept alive, closed at the next", warmUpMs: 0, onHead: keptThen((socket) => socket.end()) },
  { name: "kept alive, reset at the next", warmUpMs: 0, onHead: keptThen((socket) => socket.resetAndDestroy()) },
  // The client hears of the end long before it needs the connection.
  {
    name: "kept alive, closed while idle",
    warmUpMs: 200,
    onHead: (socket, count) => void (count === 1 ? socket.end(ok) : socket.write(ok)),
  },

  { name: "no head in time", onHead: () => {} },
  { name: "no head in time, the next answered", onHead: first(() => {}) },
  { name: "aborted before the head", onHead: () => {}, abort: "before the head" },
  { name: "aborted in the body", onHead: answer(`${head("content-length: 9")}part`), abort: "in the body" },
  { name: "503 with Retry-After", onHead: answer("HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n") },
  {
    name: "503 with Retry-After, the next answered",
    onHead: first(answer("HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n")),
  },

  { name: "h2: whole answer", onStream: fine },
  { name: "h2: refused", onStream: (connection, streamId) => connection.resetStream(streamId, errorCode.refusedStream) },
  {
    name: "h2: refused, the next answered",
    onStream: firstStream((connection, streamId) => connection.resetStream(streamId, errorCode.refusedStream)),
  },
  { name: "h2: GOAWAY below it", onStream: firstStream((connection) => connection.goAway(0, errorCode.noError)) },
  { name: "h2: GOAWAY below it, error", onStream: firstStream((connection) => connection.goAway(0, errorCode.enhanceYourCalm)) },
  {
    name: "h2: GOAWAY above it, then answered",
    onStream: (connection, streamId) => {
      connection.goAway(streamId, errorCode.noError);
      fine(connection, streamId);
    },
  },
  {
    name: "h2: GOAWAY above it, error",
    onStream: (connection, streamId) => connection.goAway(streamId, errorCode.enhanceYourCalm),
  },
  { name: "h2: reset, INTERNAL_ERROR", onStream: (connection, streamId) => connection.resetStream(streamId, errorCode.internalError) },
  { name: "h2: reset, CANCEL", onStream: (connection, streamId) => connection.resetStream(streamId, errorCode.cancel) },
  { name: "h2: body, reset, NO_ERROR", onStream: cutOffBy(errorCode.noError) },
  { name: "h2: body, reset, CANCEL", onStream: cutOffBy(errorCode.cancel) },
  { name: "h2: connection reset", onStream: (connection) => void connection.socket.resetAndDestroy() },
  { name: "h2: answered in HTTP/1.1", isHttp2: true, onHead: thenEnd("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n") },
];
