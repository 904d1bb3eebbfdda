import type { Socket } from "node:net";

/** Frame types (RFC 9113 §6). */
export const frameType = { data: 0, headers: 1, resetStream: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;

/** Error codes (RFC 9113 §7). */
export const errorCode = { noError: 0, internalError: 2, refusedStream: 7, cancel: 8, enhanceYourCalm: 11 } as const;

/** A frame as it came. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Called with a connection and one of its streams. */
export type StreamListener = (connection: PeerConnection, streamId: number) => void;

/** A connection whose frames are written by hand. */
export interface PeerConnection {
  /** Streams that the client has opened, in order. */
  readonly opened: number[];
  /** Streams that the client has reset. */
  readonly reset: number[];
  /** The codes of those resets. */
  readonly resetCodes: number[];
  /** Streams that the client has ended. */
  readonly ended: number[];
  /** PINGs that have arrived. */
  pings: number;
  /** Whether PING is answered; at first it is. */
  answersPings: boolean;
  readonly socket: Socket;
  send(type: number, flags: number, streamId: number, payload?: Buffer): void;
  /** A response head; with `isEnd` the whole response, with `length` its content-length. */
  head(streamId: number, status: number, isEnd?: boolean, length?: number): void;
  data(streamId: number, text: string, isEnd?: boolean): void;
  resetStream(streamId: number, code: number): void;
  goAway(lastStreamId: number, code: number): void;
  /** Allows so many streams at a time. */
  allow(maxConcurrentStreams: number): void;
}

/**
 * Speaks HTTP/2 frame by frame on a connection that a client has made: answers SETTINGS and PING, and tells `onRequest` of each stream
 * that has arrived whole, `onHead` of each that has begun.
 */
export function acceptHttp2(socket: Socket, onRequest: StreamListener, maxStreams?: number, onHead?: StreamListener): PeerConnection {
  const connection = connectionOver(socket);
  socket.setNoDelay(true);
  socket.on("error", () => {});
  if (maxStreams === undefined) connection.send(frameType.settings, 0, 0);
  else connection.allow(maxStreams);
  let received = Buffer.alloc(0);
  let hasPreface = false;
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (!hasPreface && received.length >= preface.length) {
      if (!received.subarray(0, preface.length).equals(preface)) {
        socket.destroy();
        return;
      }
      received = received.subarray(preface.length);
      hasPreface = true;
    }
    while (hasPreface && received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
      const length = received.readUIntBE(0, 3);
      const frame: Frame = {
        type: received.readUInt8(3),
        flags: received.readUInt8(4),
        streamId: received.readUInt32BE(5) & 0x7fffffff,
        payload: received.subarray(9, 9 + length),
      };
      received = received.subarray(9 + length);
      take(connection, frame, onRequest, onHead);
    }
  });
  return connection;
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const ack = 1;
const endStream = 1;
const endHeaders = 4;
const maxConcurrentStreamsSetting = 3;

function take(
  connection: PeerConnection,
  { type, flags, streamId, payload }: Frame,
  onRequest: StreamListener,
  onHead: StreamListener | undefined,
): void {
  if (type === frameType.settings && (flags & ack) === 0) connection.send(frameType.settings, ack, 0);
  if (type === frameType.ping && (flags & ack) === 0) {
    connection.pings++;
    if (connection.answersPings) connection.send(frameType.ping, ack, 0, payload);
  }
  if (type === frameType.headers) {
    connection.opened.push(streamId);
    onHead?.(connection, streamId);
  }
  if (type === frameType.resetStream) {
    connection.reset.push(streamId);
    connection.resetCodes.push(payload.readUInt32BE(0));
  }
  if ((type === frameType.headers || type === frameType.data) && (flags & endStream) !== 0) {
    connection.ended.push(streamId);
    onRequest(connection, streamId);
  }
}

function connectionOver(socket: Socket): PeerConnection {
  const send = (type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): void => {
    const frame = Buffer.alloc(9 + payload.length);
    frame.writeUIntBE(payload.length, 0, 3);
    frame.writeUInt8(type, 3);
    frame.writeUInt8(flags, 4);
    frame.writeUInt32BE(streamId, 5);
    payload.copy(frame, 9);
    if (!socket.destroyed) socket.write(frame);
  };
  const numbers = (...values: number[]): Buffer => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
    return bytes;
  };
  return {
    opened: [],
    reset: [],
    resetCodes: [],
    ended: [],
    pings: 0,
    answersPings: true,
    socket,
    send,
    // Literals with the names of entries 8 and 28 of the static table, `:status` and `content-length` (RFC 7541 §6.2.2).
    head: (streamId, status, isEnd = false, length = undefined) => {
      const fields = [0x08, 3, ...Buffer.from(String(status))];
      if (length !== undefined) fields.push(0x0f, 28 - 15, String(length).length, ...Buffer.from(String(length)));
      send(frameType.headers, endHeaders | (isEnd ? endStream : 0), streamId, Buffer.from(fields));
    },
    data: (streamId, text, isEnd = false) => send(frameType.data, isEnd ? endStream : 0, streamId, Buffer.from(text)),
    resetStream: (streamId, code) => send(frameType.resetStream, 0, streamId, numbers(code)),
    goAway: (lastStreamId, code) => send(frameType.goAway, 0, 0, numbers(lastStreamId, code)),
    allow: (maxConcurrentStreams) => {
      const setting = Buffer.alloc(6);
      setting.writeUInt16BE(maxConcurrentStreamsSetting, 0);
      setting.writeUInt32BE(maxConcurrentStreams, 2);
      send(frameType.settings, 0, 0, setting);
    },
  };
}
