import type { Buffer } from "node:buffer";
import type { Metadata } from "@grpc/grpc-js";
import { Cancellation } from "../../core/cancellation.ts";
import type { CallOptions, MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isMeshError } from "../../core/errors.ts";
import type { RequestBody } from "../../core/http/body.ts";
import { meshRequest } from "../../core/mesh-request.ts";
import { rpcStatus } from "../../core/rpc/rpc-status.ts";
import { maxTimerMs } from "../../core/settings/checks.ts";
import type { Receiver } from "../../core/stages/stage.ts";
import { compressMessage } from "../../rpc/compression.ts";
import { compressedFlag, writeFrame } from "../../rpc/frames.ts";
import { Answer, type AnsweredCall } from "./answer.ts";
import type { CallLimits, ChannelParts, GrpcCall, GrpcCallCredentials, GrpcListener, MessageContext, MethodParts } from "./call-parts.ts";
import type { GrpcDetails } from "./details.ts";
import { MessagesOut } from "./messages-out.ts";
import { headersOf, type MetadataClass, MetadataFault } from "./metadata.ts";
import { type CallStatus, statusOfCredentials, statusOfError, statusOfForeign } from "./status.ts";

/** The flag of a message that is not to be compressed. */
const noCompress = 2;

/** Ends a call that its program has given up: no failure of an instance. */
class GivenUp extends Error {}

/** One call of a client: a request through the mesh, whose answer goes to a listener of `@grpc/grpc-js`. */
export class MeshCall implements GrpcCall, Receiver, AnsweredCall {
  readonly #channel: ChannelParts;
  readonly #method: MethodParts;
  readonly #number: number;
  readonly #deadline: number;
  readonly #host: string | undefined;
  readonly #cancellation = new Cancellation();
  #credentials: GrpcCallCredentials | undefined;
  #metadata: Metadata | undefined = undefined;
  /** Made when the call starts. */
  #answer: Answer | undefined = undefined;
  #messages: MessagesOut | undefined = undefined;
  /** The message of a call with one. */
  #single: Uint8Array | Promise<Uint8Array> | undefined = undefined;
  #request: MeshRequest | undefined = undefined;
  #readyPauseMs = 50;

  constructor(channel: ChannelParts, method: MethodParts, number: number, { deadline, host, parent, propagate }: CallLimits) {
    this.#channel = channel;
    this.#method = method;
    this.#number = number;
    this.#credentials = channel.credentials;
    this.#host = host ?? undefined;
    let endsAt = Number(deadline);
    if (parent !== null) {
      const flags = propagate ?? channel.grpc.propagate.DEFAULTS;
      if ((flags & channel.grpc.propagate.DEADLINE) !== 0) endsAt = Math.min(endsAt, Number(parent.getDeadline()));
      if ((flags & channel.grpc.propagate.CANCELLATION) !== 0)
        parent.on("cancelled", () => this.cancelWithStatus(rpcStatus.CANCELLED, "Cancelled by parent call"));
    }
    this.#deadline = endsAt;
  }

  // --- what a client asks for ---

  start(metadata: Metadata, listener: GrpcListener): void {
    this.#metadata = metadata;
    const { service } = this.#channel;
    this.#answer = new Answer(this, listener);
    const fault = this.#fault();
    if (this.#channel.connectivity.isClosed)
      this.#end({ code: rpcStatus.UNAVAILABLE, details: `the client of "${service}" has been closed` });
    else if (fault !== undefined) this.#end({ code: rpcStatus.INVALID_ARGUMENT, details: fault });
    else if (this.#method.isRequestStream) {
      this.#messages = new MessagesOut();
      this.#begin(this.#messages);
    }
  }

  sendMessageWithContext({ callback, flags }: MessageContext, message: Buffer): void {
    const { maxSendBytes, compression } = this.#channel.settings;
    if (this.#answer === undefined || this.#answer.hasEnded) {
      callback?.();
      return;
    }
    if (maxSendBytes !== -1 && message.byteLength > maxSendBytes) {
      callback?.();
      const details = `a message of ${message.byteLength} bytes to "${this.#channel.service}" is larger than the limit of ${maxSendBytes} (grpc.max_send_message_length)`;
      this.#end({ code: rpcStatus.RESOURCE_EXHAUSTED, details });
      return;
    }
    const isPlain = compression === "identity" || ((flags ?? 0) & noCompress) !== 0;
    const frame = isPlain ? writeFrame(0, message) : this.#compressed(message, compression);
    if (this.#messages !== undefined) this.#messages.push(frame, callback);
    else {
      this.#single = frame;
      callback?.();
    }
  }

  halfClose(): void {
    if (this.#answer === undefined || this.#answer.hasEnded) return;
    if (this.#messages !== undefined) this.#messages.end();
    else if (this.#single instanceof Promise) this.#single.then((frame) => this.#begin(frame)).catch((error: unknown) => this.#fail(error));
    else this.#begin(this.#single);
  }

  startRead(): void {
    this.#answer?.startRead();
  }

  cancelWithStatus(code: number, details: string): void {
    this.#end({ code, details });
  }

  getPeer(): string {
    return this.#instance ?? this.#channel.target;
  }

  getCallNumber(): number {
    return this.#number;
  }

  setCredentials(credentials: GrpcCallCredentials): void {
    this.#credentials = this.#credentials?.compose(credentials) ?? credentials;
  }

  getAuthContext(): null {
    return null;
  }

  // --- Receiver ---

  answered(response: MeshResponse): void {
    const answer = this.#answer as Answer;
    if (answer.hasEnded) {
      response.body.cancel(new GivenUp());
      return;
    }
    this.#channel.connectivity.note(true);
    const foreign = statusOfForeign(response, this.#channel.service);
    if (foreign === undefined) answer.begin(response);
    else {
      response.body.discard();
      this.#end(foreign);
    }
  }

  failed(error: unknown): void {
    if (this.#answer?.hasEnded) return;
    const code = isMeshError(error) ? error.code : undefined;
    if (code === "ERR_MESH_NO_ENDPOINTS" || code === "ERR_MESH_CONNECT") this.#channel.connectivity.note(false);
    const waits = code === "ERR_MESH_NO_ENDPOINTS" && this.#metadata?.getOptions().waitForReady === true;
    if (waits && Date.now() + this.#readyPauseMs < this.#deadline) this.#sendLater();
    else this.#end(statusOfError(error));
  }

  // --- AnsweredCall ---

  get service(): string {
    return this.#channel.service;
  }

  get made(): MetadataClass {
    return this.#channel.grpc.Metadata;
  }

  get maxBytes(): number {
    return this.#channel.settings.maxReceiveBytes;
  }

  get isStream(): boolean {
    return this.#method.isResponseStream;
  }

  get details(): GrpcDetails {
    const attempts = [...(this.#request?.attempts ?? [])];
    const maybeExecuted = attempts.some((attempt) => attempt.maybeExecuted);
    return { service: this.service, instance: this.#instance, maybeExecuted, attempts };
  }

  ended(): void {
    this.#messages?.close();
  }

  refused(status: CallStatus): void {
    this.#end(status);
  }

  // --- inside ---

  /** Why the call cannot be made, whatever instances there are. */
  #fault(): string | undefined {
    const { service } = this.#channel;
    if (this.#method.fault !== undefined) return `a call of "${service}" is refused: ${this.#method.fault}`;
    if (this.#host === undefined) return undefined;
    return `a call of "${service}" has the option \`host\`, in whose place a mesh has \`peer.name\` of the service`;
  }

  get #instance(): string | undefined {
    return this.#answer?.instance ?? this.#request?.attempts.at(-1)?.address;
  }

  /** Sends the request, once its credentials are there. */
  #begin(body: RequestBody): void {
    if (this.#credentials === undefined) this.#send(body);
    else
      this.#withCredentials(this.#credentials).then(
        () => this.#send(body),
        (error: unknown) => this.#fail(error),
      );
  }

  async #withCredentials(credentials: GrpcCallCredentials): Promise<void> {
    const { path } = this.#method;
    const [, name = "", method = ""] = path.split("/");
    const made = await credentials.generateMetadata({ method_name: method, service_url: `https://${this.#channel.service}/${name}` });
    const metadata = this.#metadata?.clone();
    metadata?.merge(made);
    this.#metadata = metadata;
  }

  #send(body: RequestBody): void {
    const { service, door, headers, requiresTls, hashKeyFrom } = this.#channel;
    const { path, rpc } = this.#method;
    const answer = this.#answer as Answer;
    const metadata = this.#metadata as Metadata;
    if (answer.hasEnded) return;
    try {
      const request = meshRequest({
        service,
        method: "POST",
        path,
        headers: headersOf(headers, metadata),
        body,
        options: this.#options(hashKeyFrom === undefined ? undefined : metadata.get(hashKeyFrom)[0]?.toString()),
        cancellation: this.#cancellation,
        requiresTls: requiresTls || this.#credentials !== undefined,
        rpc,
      });
      this.#request = request;
      door.send(request, this);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The options of the call: the deadline of its program goes before all limits of the mesh. */
  #options(hashKey: string | undefined): CallOptions {
    const { options } = this.#method;
    if (this.#deadline === Number.POSITIVE_INFINITY && hashKey === undefined) return options;
    const own: { -readonly [Key in keyof CallOptions]: CallOptions[Key] } = { ...options };
    if (hashKey !== undefined) own.hashKey ??= hashKey;
    if (this.#deadline === Number.POSITIVE_INFINITY) return own;
    own.timeoutMs = Math.min(Math.max(0, this.#deadline - Date.now()), maxTimerMs);
    // Where a further attempt is not allowed, a limit of one attempt would only end the call before its program wants that.
    if (own.idempotent !== true) own.attemptTimeoutMs ??= false;
    return own;
  }

  /** There is no instance yet, and the call is one that waits for the first. */
  #sendLater(): void {
    const again = this.#request as MeshRequest;
    const pauseMs = this.#readyPauseMs;
    this.#readyPauseMs = Math.min(1_000, pauseMs * 2);
    const timer = setTimeout(() => {
      this.#cancellation.removeListener(stop);
      this.#send(again.body);
    }, pauseMs);
    const stop = () => clearTimeout(timer);
    this.#cancellation.onCancel(stop);
  }

  #compressed(message: Buffer, compression: "deflate" | "gzip"): Promise<Uint8Array> {
    const frame = new Promise<Uint8Array>((resolve, reject) => {
      compressMessage(compression, message, (error, result) =>
        error === null ? resolve(writeFrame(compressedFlag, result)) : reject(error),
      );
    });
    frame.catch((error: unknown) => this.#fail(error));
    return frame;
  }

  #fail(error: unknown): void {
    if (error instanceof MetadataFault)
      this.#end({ code: rpcStatus.INVALID_ARGUMENT, details: `a call of "${this.#channel.service}" is refused: ${error.message}` });
    else if (!isMeshError(error) && this.#request === undefined && this.#credentials !== undefined) this.#end(statusOfCredentials(error));
    else this.#end(statusOfError(error));
  }

  /** Ends the call with a status of this process, at once. */
  #end(status: CallStatus): void {
    const answer = this.#answer;
    if (answer === undefined || answer.isTold) return;
    this.#cancellation.cancel(new GivenUp());
    answer.refuse(status);
  }
}
