import { Buffer } from "node:buffer";
import type { ClientHttp2Stream } from "node:http2";
import type { UndiciRequest } from "../undici/undici.ts";
import { contentLengthOf } from "./request-head.ts";

/**
 * Bytes that are written at a time. Node counts what streams have been given and have not sent, and never discounts what a stream that was cut
 * off has left: a session with 10 MB of it fails every later stream.
 */
const pieceBytes = 16_384;

/** Writes the content of a request and ends the stream. Resolves early, without an end, when the stream has closed; rejects when the content fails. */
export async function upload(stream: ClientHttp2Stream, request: UndiciRequest): Promise<void> {
  const length = contentLengthOf(request);
  let total = 0;
  for await (const chunk of chunksOf(request.body)) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    total += bytes.byteLength;
    if (length !== undefined && total > length) throw new WrongLength();
    for (let from = 0; from < bytes.byteLength; from += pieceBytes) {
      if (hasEnded(stream)) return;
      const piece = bytes.subarray(from, from + pieceBytes);
      await written(stream, piece);
      request.onBodySent(piece);
    }
  }
  if (hasEnded(stream)) return;
  if (length !== undefined && total !== length) throw new WrongLength();
  stream.end();
  request.onRequestSent();
}

/** Whether content is one piece, which {@link uploadPiece} writes. */
export function isOnePiece(body: UndiciRequest["body"]): body is Uint8Array {
  return body instanceof Uint8Array && body.byteLength <= pieceBytes;
}

/** Writes content that is one piece together with the end of the stream: one frame, and nothing that waits. */
export function uploadPiece(stream: ClientHttp2Stream, request: UndiciRequest, piece: Uint8Array): void {
  stream.end(piece, (error?: Error | null) => {
    if (error || request.aborted) return;
    request.onBodySent(piece);
    request.onRequestSent();
  });
}

function chunksOf(body: UndiciRequest["body"]): AsyncIterable<Uint8Array | string> | Iterable<Uint8Array> {
  if (body instanceof Uint8Array) return [body];
  if (body instanceof Blob) return body.stream() as unknown as AsyncIterable<Uint8Array>;
  return body as AsyncIterable<Uint8Array | string>;
}

function hasEnded(stream: ClientHttp2Stream): boolean {
  return stream.closed || stream.destroyed || stream.writableEnded;
}

/** Writes a piece. Resolves when it has gone, or never will. */
function written(stream: ClientHttp2Stream, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => stream.write(piece, () => resolve()));
}

class WrongLength extends Error {
  /** The code that undici uses. */
  readonly code = "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH";

  constructor() {
    super("the request body has another length than its content-length");
  }
}
