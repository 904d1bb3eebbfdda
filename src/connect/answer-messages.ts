import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { MeshResponse } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import type { BodyReceiver } from "../core/http/body.ts";
import { forwardTo } from "../core/http/forward-body.ts";
import { headerOf } from "../core/http/response-headers.ts";
import { tellRpcStatus } from "../core/rpc/rpc-outcome.ts";
import { rpcStatus } from "../core/rpc/rpc-status.ts";
import { compressedFlag, type Frame, FrameFault, FrameReader, tooLarge } from "../rpc/frames.ts";
import { type CallStatus, faultStatus, statusOfFault } from "./call-status.ts";
import { decompress } from "./compression.ts";
import type { WireProtocol } from "./wire-protocol.ts";

/** Bytes and messages that wait for their reader before the connection is paused. */
const maxHeldBytes = 65_536;
const maxHeldFrames = 32;
/** The most that the frame which ends a stream may have, decompressed. */
const maxEndBytes = 65_536;

/** The end of the messages of an answer. */
export type AnswerEnd = { readonly status: CallStatus } | { readonly error: unknown };

/**
 * The messages of an answer as they come over the wire, at the pace of their reader. The status is known as soon as its frame has come, also while nothing
 * reads: it counts for the attempt before the body closes.
 */
export class AnswerMessages implements BodyReceiver {
  readonly #response: MeshResponse;
  readonly #protocol: WireProtocol;
  readonly #maxBytes: number;
  readonly #reader: FrameReader;
  readonly #frames: Frame[] = [];
  #heldBytes = 0;
  #status: CallStatus | undefined = undefined;
  #end: AnswerEnd | undefined = undefined;
  #wake: (() => void) | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #isPaused = false;

  constructor(response: MeshResponse, protocol: WireProtocol, maxBytes: number) {
    this.#response = response;
    this.#protocol = protocol;
    this.#maxBytes = maxBytes;
    this.#reader = new FrameReader(Math.max(maxBytes, maxEndBytes));
    forwardTo(response.body, this);
  }

  get isWaiting(): boolean {
    return this.#wake !== undefined;
  }

  resumed(resume: () => void): void {
    this.#resume = resume;
  }

  take(chunk: Uint8Array): boolean {
    if (this.#end !== undefined) return true;
    try {
      for (const frame of this.#reader.push(chunk)) this.#takeFrame(frame);
    } catch (thrown) {
      this.#refuse(statusOfFault(thrown as FrameFault));
      return true;
    }
    this.#wakeUp();
    this.#isPaused = this.#heldBytes > maxHeldBytes || this.#frames.length > maxHeldFrames;
    return !this.#isPaused;
  }

  end(error: unknown): void {
    if (this.#end !== undefined) return;
    if (error !== undefined) {
      this.#end = { error };
      // A caller that has given the call up wants nothing more of it.
      if (!isMeshError(error)) this.#frames.length = 0;
    } else {
      try {
        this.#reader.end();
        this.#end = { status: this.#status ?? this.#protocol.statusAtEnd(this.#response) };
      } catch (thrown) {
        this.#end = { status: statusOfFault(thrown as FrameFault) };
      }
    }
    this.#wakeUp();
  }

  /** The bytes of the next message, or the end. */
  async next(): Promise<Uint8Array | AnswerEnd> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) {
        this.#heldBytes -= frame.data.byteLength;
        this.#goOn();
        return this.#decoded(frame);
      }
      if (this.#end !== undefined) return this.#end;
      this.#goOn();
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The reader wants no more. */
  cancel(reason: unknown): void {
    this.#end ??= { error: reason };
    this.#frames.length = 0;
    this.#response.body.cancel(reason);
    this.#wakeUp();
  }

  #takeFrame(frame: Frame): void {
    const { flags, data } = frame;
    if (this.#status !== undefined) throw new FrameFault("form", "the stream goes on behind its end");
    const status = this.#protocol.statusIn(flags, () => this.#decodedEnd(frame));
    if (status === undefined) {
      if (data.byteLength > this.#maxBytes) throw tooLarge(data.byteLength, this.#maxBytes);
      this.#frames.push(frame);
      this.#heldBytes += data.byteLength;
      return;
    }
    this.#status = status;
    tellRpcStatus(this.#response, status.code);
  }

  /** At once, since the status must be known before the body closes; it is small. */
  #decodedEnd({ flags, data }: Frame): Uint8Array {
    if ((flags & compressedFlag) === 0) return data;
    const coding = this.#coding;
    try {
      return coding === "br"
        ? brotliDecompressSync(data, { maxOutputLength: maxEndBytes })
        : gunzipSync(data, { maxOutputLength: maxEndBytes });
    } catch {
      throw new FrameFault("form", "the end of the stream does not decode");
    }
  }

  async #decoded({ flags, data }: Frame): Promise<Uint8Array | AnswerEnd> {
    if ((flags & compressedFlag) === 0) return data;
    try {
      return await decompress(this.#coding, data, this.#maxBytes);
    } catch (thrown) {
      this.#refuse(statusOfFault(thrown as FrameFault));
      return this.#end as AnswerEnd;
    }
  }

  get #coding(): string | undefined {
    return headerOf(this.#response, this.#protocol.streamCoding);
  }

  /** Ends the stream for a fault of its content. */
  #refuse(status: CallStatus): void {
    this.#frames.length = 0;
    this.#end = { status };
    tellRpcStatus(this.#response, status.code);
    this.#response.body.cancel();
    this.#wakeUp();
  }

  #goOn(): void {
    if (!this.#isPaused || this.#heldBytes > maxHeldBytes / 2 || this.#frames.length > maxHeldFrames / 2) return;
    this.#isPaused = false;
    this.#resume?.();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** A message that does not have the form of its type. */
export function undecodable(name: string, why: string): CallStatus {
  return faultStatus(rpcStatus.INTERNAL, `a message is no ${name}: ${why}`);
}
