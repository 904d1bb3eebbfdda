import { create, type DescMessage, type DescMethod, type DescMethodUnary, type MessageShape } from "@bufbuild/protobuf";
import type { StreamRequest, StreamResponse, UnaryRequest, UnaryResponse } from "@connectrpc/connect";
import { Cancellation } from "../core/cancellation.ts";
import type { CallOptions, Dispatch, MeshRequest, MeshResponse, RpcCall } from "../core/dispatch.ts";
import { describeError } from "../core/errors.ts";
import type { RequestBody } from "../core/http/body.ts";
import { meshRequest } from "../core/mesh-request.ts";
import { rpcStatus } from "../core/rpc/rpc-status.ts";
import type { MeshDoor } from "../core/stages/mesh-door.ts";
import { dispatchOf } from "../core/stages/stage.ts";
import { checkCallOptions } from "../fetch/call-options.ts";
import { idempotencyLevel, mayBeRepeated } from "../rpc/idempotency.ts";
import { AnswerMessages, undecodable } from "./answer-messages.ts";
import { compress } from "./compression.ts";
import { decode, encode } from "./message-codec.ts";
import { addTo, headersOf, metadataOf, type SplitLines, splitTrailers } from "./metadata-headers.ts";
import { frameOf, RequestFrames } from "./request-frames.ts";
import { tie } from "./tie.ts";
import type { TransportSettings } from "./transport-options.ts";
import { UnaryAnswer } from "./unary-answer.ts";
import { errorOfFailure, errorOfStatus } from "./wire-error.ts";
import { type WireProtocol, wireProtocol } from "./wire-protocol.ts";

/** The service of a transport, and the way to it. */
export interface CallTarget {
  readonly door: MeshDoor;
  readonly service: string;
  /** In front of the path of each method; empty, or beginning with a slash. */
  readonly prefix: string;
  readonly requiresTls: boolean;
}

/** The paths of less than this many characters that every server takes. */
const maxGetPath = 4_096;

/** A call, before its request is made. */
export interface Call<Request> {
  readonly request: Request;
  /** The limit of its caller, in milliseconds. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** The metadata of its caller, as the interceptors have left it; `undefined` for none. */
  readonly metadata: Iterable<readonly [string, string]> | undefined;
}

interface RequestParts {
  readonly method: DescMethod;
  readonly headers: Record<string, string>;
  readonly body: RequestBody;
  readonly rpc: RpcCall;
  readonly cancellation: Cancellation;
  /** The query of a call that is sent by GET. */
  readonly query?: string | undefined;
}

/** Makes calls of one protocol to one service. */
export class Calls {
  readonly #target: CallTarget;
  readonly #settings: TransportSettings;
  readonly #protocol: WireProtocol;
  readonly #send: Dispatch;
  readonly #readUnary: NonNullable<RpcCall["whole"]>;

  constructor(target: CallTarget, settings: TransportSettings) {
    this.#target = target;
    this.#settings = settings;
    this.#protocol = wireProtocol(settings);
    this.#send = dispatchOf(target.door.send);
    this.#readUnary = (response) => this.#protocol.readUnary(response);
  }

  /** Calls a method with one message and one answer. */
  async unary<I extends DescMessage, O extends DescMessage>(call: Call<UnaryRequest<I, O>>): Promise<UnaryResponse<I, O>> {
    const { method, message } = call.request;
    const cancellation = new Cancellation();
    const untie = tie(cancellation, call.signal);
    try {
      const request = await this.#unaryRequest(method, message, call, cancellation);
      const response = await this.#send(request);
      // An answer that was made in this process has not been read yet.
      const answer = response instanceof UnaryAnswer ? response : await this.#protocol.readUnary(response);
      return this.#answerOf(method, request, answer);
    } catch (thrown) {
      throw errorOfFailure(thrown, call.signal);
    } finally {
      untie();
    }
  }

  async #unaryRequest<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    message: MessageShape<I>,
    call: Call<unknown>,
    cancellation: Cancellation,
  ): Promise<MeshRequest> {
    const settings = this.#settings;
    const bytes = encode(method.input, message, settings);
    const rpc = this.#rpc(call, false);
    if (settings.useHttpGet && method.idempotency === idempotencyLevel.noSideEffects) {
      const query = `?connect=v1&base64=1&encoding=${settings.codec}&message=${Buffer.from(bytes).toString("base64url")}`;
      if (query.length < maxGetPath) {
        const { "content-type": _type, ...headers } = this.#headers(call, false, false);
        return this.#request({ method, headers, body: undefined, rpc, cancellation, query });
      }
    }
    const { sendCompression, compressMinBytes } = settings;
    const compression = sendCompression !== false && bytes.byteLength >= compressMinBytes ? sendCompression : undefined;
    const headers = this.#headers(call, false, compression !== undefined);
    let body = bytes;
    if (this.#protocol.hasFrames) body = await frameOf(bytes, compression, 0);
    else if (compression !== undefined) body = await compress(compression, bytes);
    return this.#request({ method, headers, body, rpc, cancellation });
  }

  #answerOf<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MeshRequest,
    answer: UnaryAnswer,
  ): UnaryResponse<I, O> {
    const { message, callStatus } = answer;
    if (message === undefined) throw errorOfStatus(request, answer, callStatus);
    let decoded: MessageShape<O>;
    try {
      decoded = decode(method.output, message, this.#settings);
    } catch (thrown) {
      throw errorOfStatus(request, answer, undecodable(method.output.typeName, describeError(thrown)));
    }
    return lazily(() => this.#linesOf(answer), { stream: false, service: method.parent, method, message: decoded } as const);
  }

  /** Calls a method of which one side, or both, sends any number of messages. */
  async stream<I extends DescMessage, O extends DescMessage>(call: Call<StreamRequest<I, O>>): Promise<StreamResponse<I, O>> {
    const { method, message: input } = call.request;
    const { sendCompression, compressMinBytes } = this.#settings;
    const compression = sendCompression === false ? undefined : sendCompression;
    const frames = new RequestFrames({
      input,
      encode: (message) => encode(method.input, create(method.input, message as never), this.#settings),
      compression,
      compressMinBytes,
    });
    const cancellation = new Cancellation();
    const untie = tie(cancellation, call.signal);
    const ended = (): void => {
      untie();
      frames.stop();
    };
    try {
      const headers = this.#headers(call, true, compression !== undefined);
      const request = this.#request({ method, headers, body: frames, rpc: this.#rpc(call, true), cancellation });
      const response = await this.#send(request);
      response.body.onClose(ended);
      const fault = this.#protocol.faultOfHead(response);
      if (fault !== undefined) {
        response.body.discard();
        throw errorOfStatus(request, response, fault);
      }
      const trailer = new Headers();
      const messages = new AnswerMessages(response, this.#protocol, this.#settings.readMaxBytes);
      const decodeNext = async (): Promise<IteratorResult<MessageShape<O>>> => {
        const next = await messages.next();
        if (next instanceof Uint8Array) return { done: false, value: this.#decode(method.output, next, { request, response, messages }) };
        if ("error" in next) throw errorOfFailure(next.error, call.signal);
        addTo(trailer, next.status.trailers);
        if (next.status.code !== rpcStatus.OK || !next.status.isTold) throw errorOfStatus(request, response, next.status);
        return { done: true, value: undefined };
      };
      const give = async (): Promise<IteratorResult<MessageShape<O>>> => {
        messages.cancel(givenUp());
        return { done: true, value: undefined };
      };
      const message: AsyncIterable<MessageShape<O>> = {
        [Symbol.asyncIterator]: () => ({ next: decodeNext, return: give }),
      };
      return { stream: true, service: method.parent, method, header: metadataOf(response.headers), trailer, message };
    } catch (thrown) {
      ended();
      cancellation.cancel(givenUp());
      throw errorOfFailure(thrown, call.signal);
    }
  }

  #decode<O extends DescMessage>(
    output: O,
    bytes: Uint8Array,
    { request, response, messages }: { request: MeshRequest; response: MeshResponse; messages: AnswerMessages },
  ): MessageShape<O> {
    try {
      return decode(output, bytes, this.#settings);
    } catch (thrown) {
      messages.cancel(givenUp());
      throw errorOfStatus(request, response, undecodable(output.typeName, describeError(thrown)));
    }
  }

  #linesOf({ headers, callStatus }: UnaryAnswer): SplitLines {
    return this.#protocol.hasFrames ? { headers, trailers: callStatus.trailers } : splitTrailers(headers);
  }

  #rpc({ timeoutMs }: Call<unknown>, isStream: boolean): RpcCall {
    const { name, timeoutHeader } = this.#protocol;
    return { protocol: name, isStream, timeoutMs, timeoutHeader, whole: isStream ? undefined : this.#readUnary };
  }

  #headers({ metadata }: Call<unknown>, isStream: boolean, isCompressed: boolean): Record<string, string> {
    const { sendCompression } = this.#settings;
    const own = this.#protocol.headers(isStream, isCompressed && sendCompression !== false ? sendCompression : undefined);
    const headers = headersOf(metadata);
    for (const name in own) if (name !== "user-agent" || headers[name] === undefined) headers[name] = own[name] as string;
    return headers;
  }

  #request({ method, headers, body, rpc, cancellation, query }: RequestParts): MeshRequest {
    const { service, prefix, requiresTls } = this.#target;
    const route = `/${method.parent.typeName}/${method.name}`;
    const path = `${prefix}${route}${query ?? ""}`;
    const options = this.#options(method, rpc, route);
    return meshRequest({
      service,
      method: query === undefined ? "POST" : "GET",
      path,
      headers,
      body,
      options,
      cancellation,
      requiresTls,
      rpc,
    });
  }

  #options(method: DescMethod, { isStream }: RpcCall, route: string): CallOptions {
    const { isIdempotent, callOptions } = this.#settings;
    const idempotent = isIdempotent === undefined ? mayBeRepeated(method.idempotency) : isIdempotent(method);
    const own = callOptions?.(method);
    const options = isStream ? { route, idempotent, attemptTimeoutMs: false as const } : { route, idempotent };
    if (own === undefined) return options;
    checkCallOptions(own);
    return { ...options, ...own };
  }
}

/** A response whose metadata is made when it is read, which most callers do not. The properties are its own, so that a copy by spreading has them. */
function lazily<Parts extends object>(
  linesOf: () => SplitLines,
  parts: Parts,
): Parts & { readonly header: Headers; readonly trailer: Headers } {
  let header: Headers | undefined;
  let trailer: Headers | undefined;
  return {
    ...parts,
    get header(): Headers {
      header ??= metadataOf(linesOf().headers);
      return header;
    },
    get trailer(): Headers {
      trailer ??= metadataOf(linesOf().trailers);
      return trailer;
    },
  };
}

function givenUp(): DOMException {
  return new DOMException("the call was given up", "AbortError");
}
