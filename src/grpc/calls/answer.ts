import type { Buffer } from "node:buffer";
import type { Metadata } from "@grpc/grpc-js";
import type { MeshResponse } from "../../core/dispatch.ts";
import type { BodyReceiver } from "../../core/http/body.ts";
import { forwardTo } from "../../core/http/forward-body.ts";
import { headerOf } from "../../core/http/response-headers.ts";
import { trailerOf } from "../../core/rpc/rpc-outcome.ts";
import { readRpcStatus, rpcStatus } from "../../core/rpc/rpc-status.ts";
import { FrameFault, onlyMessage } from "../../rpc/frames.ts";
import { readGrpcMessage } from "../../rpc/grpc-message.ts";
import type { GrpcListener } from "./call-parts.ts";
import { type GrpcDetails, keepDetails } from "./details.ts";
import { MessagesIn } from "./messages-in.ts";
import { isOfProtocol, type MetadataClass, metadataOf } from "./metadata.ts";
import { type CallStatus, statusOfError } from "./status.ts";

/** Bytes of messages that are kept for a reader that does not read; above it the connection is paused. */
const unreadBytes = 65_536;

/** The call that an {@link Answer} is of. */
export interface AnsweredCall {
  readonly service: string;
  /** The class of metadata. */
  readonly made: MetadataClass;
  /** Of a message; -1 = no limit. */
  readonly maxBytes: number;
  /** Whether its answer may have other than one message. */
  readonly isStream: boolean;
  readonly details: GrpcDetails;
  /** Called once, when the status is known. */
  ended(): void;
  /** Called for an answer that cannot be taken. */
  refused(status: CallStatus): void;
}

/** A status on its way to the listener. */
interface Status extends CallStatus {
  readonly metadata: Metadata;
}

/**
 * The answer to one call, as its listener is told of it: metadata, messages as it reads them, and the status, which comes last and once. The listener is called in
 * turns of its own, in the asynchronous context of the call.
 */
export class Answer implements BodyReceiver {
  readonly #call: AnsweredCall;
  readonly #listener: GrpcListener;
  #response: MeshResponse | undefined = undefined;
  /** Goes on with the body after a pause. */
  #resume: (() => void) | undefined = undefined;
  #head: Metadata | undefined = undefined;
  /** The message of a chunk that is one: nearly every answer with one message is no more. */
  #first: Buffer | undefined = undefined;
  /** All others. */
  #messages: MessagesIn | undefined = undefined;
  #status: Status | undefined = undefined;
  /** The status does not wait until the messages before it have been read. */
  #isAtOnce = false;
  #isTold = false;
  #wantsMessage = false;
  #isPaused = false;
  #ring: (() => void) | undefined = undefined;

  constructor(call: AnsweredCall, listener: GrpcListener) {
    this.#call = call;
    this.#listener = listener;
    this.#listen();
  }

  /** The status is known, though the listener may have messages before it. */
  get hasEnded(): boolean {
    return this.#status !== undefined;
  }

  /** The listener has the status. */
  get isTold(): boolean {
    return this.#isTold;
  }

  /** The address of the instance that answers. */
  get instance(): string | undefined {
    return this.#response?.upstream?.address;
  }

  /** The head of the answer has come. */
  begin(response: MeshResponse): void {
    this.#response = response;
    if (headerOf(response, "grpc-status") !== undefined) {
      response.body.discard();
      this.#close(response.headers);
      return;
    }
    this.#head = metadataOf(this.#call.made, response.headers, isOfProtocol);
    this.#wake();
    forwardTo(response.body, this);
  }

  startRead(): void {
    this.#wantsMessage = true;
    if (this.#first !== undefined || this.#messages?.isEmpty === false || this.#status !== undefined) this.#wake();
  }

  /** Ends the answer with a status of this process, at once. */
  refuse({ code, details }: CallStatus): void {
    if (this.#isTold) return;
    this.#isAtOnce = true;
    this.#first = undefined;
    this.#messages?.clear();
    this.#settle({ code, details, metadata: new this.#call.made() });
  }

  // --- BodyReceiver ---

  get isWaiting(): boolean {
    return !this.#isPaused;
  }

  resumed(resume: () => void): void {
    this.#resume = resume;
  }

  take(chunk: Uint8Array): boolean {
    const response = this.#response;
    if (response === undefined || this.hasEnded) return true;
    const { maxBytes } = this.#call;
    if (this.#messages === undefined && this.#first === undefined) {
      const message = onlyMessage(chunk);
      if (message !== undefined && (maxBytes === -1 || message.byteLength <= maxBytes)) {
        this.#first = message;
        this.#wake();
        return true;
      }
    }
    const encoding = headerOf(response, "grpc-encoding");
    this.#messages ??= new MessagesIn({ maxBytes, encoding, onTurn: (fault) => this.#turn(fault) });
    const messages = this.#messages;
    try {
      messages.read(chunk);
    } catch (fault) {
      this.#turn(fault as Error);
      return true;
    }
    if (!messages.isEmpty) this.#wake();
    this.#isPaused = messages.byteLength >= unreadBytes || messages.isBusy;
    return !this.#isPaused;
  }

  end(error: unknown): void {
    const response = this.#response;
    if (this.hasEnded || response === undefined) return;
    if (error === undefined) this.#close(response.body.trailers);
    else {
      // What has come before the connection broke is the reader's; a time limit of the call waits for no reader.
      const status = statusOfError(error);
      if (status.code === rpcStatus.DEADLINE_EXCEEDED) this.refuse(status);
      else this.#settle({ ...status, metadata: new this.#call.made() });
    }
  }

  // --- inside ---

  /** The answer is whole; `lines` are its trailers, or the head of an answer without messages. */
  #close(lines: readonly string[]): void {
    const metadata = metadataOf(this.#call.made, lines, isOfProtocol);
    const code = trailerOf(lines, "grpc-status");
    if (code === undefined)
      this.#settle({ code: rpcStatus.UNKNOWN, details: `${this.#where} ended its answer without a \`grpc-status\``, metadata });
    else if (readRpcStatus(code) !== rpcStatus.OK || this.#endsWell())
      this.#settle({ code: readRpcStatus(code), details: readGrpcMessage(trailerOf(lines, "grpc-message") ?? ""), metadata });
  }

  /** Whether the bytes before a good status are whole messages; where they are not, the answer is refused. */
  #endsWell(): boolean {
    try {
      this.#messages?.end();
      return true;
    } catch (fault) {
      this.#turn(fault as Error);
      return false;
    }
  }

  get #where(): string {
    return `${this.instance ?? "this process"} of "${this.#call.service}"`;
  }

  #settle(status: Status): void {
    const isFirst = this.#status === undefined;
    this.#status = status;
    if (isFirst) this.#call.ended();
    this.#wake();
  }

  /** A message that was compressed is there, or the messages make no sense. */
  #turn(fault: Error | undefined): void {
    if (fault === undefined) this.#wake();
    else {
      const code = fault instanceof FrameFault && fault.kind === "size" ? rpcStatus.RESOURCE_EXHAUSTED : rpcStatus.INTERNAL;
      this.#call.refused({ code, details: `${this.#where} sent an answer that cannot be taken: ${fault.message}` });
    }
  }

  /** The listener is called by a promise, which remembers the asynchronous context that this is called in. */
  #listen(): void {
    new Promise<void>((resolve) => {
      this.#ring = resolve;
    }).then(() => this.#deliver());
  }

  #wake(): void {
    this.#ring?.();
    this.#ring = undefined;
  }

  #deliver(): void {
    // First, since the listener may call back.
    this.#listen();
    try {
      this.#tell();
    } catch (thrown) {
      // An error of the program, which the client has not caught either.
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  #tell(): void {
    const listener = this.#listener;
    const { isStream } = this.#call;
    if (this.#isTold) return;
    const head = this.#head;
    this.#head = undefined;
    if (head !== undefined && !this.#isAtOnce) listener.onReceiveMetadata(head);
    const first = this.#first;
    if (first !== undefined && (this.#wantsMessage || !isStream)) {
      this.#first = undefined;
      this.#wantsMessage = false;
      listener.onReceiveMessage(first);
    }
    const messages = this.#messages;
    while (this.#first === undefined && messages !== undefined && (this.#wantsMessage || !isStream)) {
      const message = messages.shift();
      if (message === undefined) break;
      this.#wantsMessage = false;
      listener.onReceiveMessage(message);
    }
    if (this.#isPaused && messages !== undefined && !messages.isBusy && messages.byteLength < unreadBytes) {
      this.#isPaused = false;
      this.#resume?.();
    }
    const status = this.#status;
    const isRead = this.#first === undefined && (messages === undefined || messages.isEmpty);
    if (status === undefined || !(this.#isAtOnce || isRead)) return;
    this.#isTold = true;
    // Not before: attempts that end with their call are recorded after it.
    if (status.code !== rpcStatus.OK) keepDetails(status.metadata, this.#call.details);
    listener.onReceiveStatus(status);
  }
}
