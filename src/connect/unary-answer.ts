import type { MeshResponse } from "../core/dispatch.ts";
import type { ResponseBody } from "../core/http/body.ts";
import { headerOf } from "../core/http/response-headers.ts";
import { rpcStatus, rpcStatusOfHttp } from "../core/rpc/rpc-status.ts";
import { quoted } from "../core/text/clean-text.ts";
import type { Upstream } from "../core/upstream.ts";
import { compressedFlag, type Frame, type FrameFault, tooLarge, trailersFlag } from "../rpc/frames.ts";
import { type CallStatus, faultStatus, statusOfFault, toldStatus } from "./call-status.ts";
import { decompress } from "./compression.ts";
import { statusOfJson } from "./connect-error-json.ts";
import { grpcStatusIn, missingStatus, readTrailerFrame } from "./grpc-status.ts";
import { readBytes, readFrames } from "./read-body.ts";

/** The answer of one message, read whole. Its body is that of the response, which has been read: it closes as that does, and has its trailers. */
export class UnaryAnswer implements MeshResponse {
  readonly callStatus: CallStatus;
  /** The bytes of the message, decompressed; `undefined` where the call has failed. */
  readonly message: Uint8Array | undefined;
  readonly rpcStatus: number | undefined;
  readonly #response: MeshResponse;

  constructor(response: MeshResponse, callStatus: CallStatus, message?: Uint8Array) {
    this.#response = response;
    this.callStatus = callStatus;
    this.message = message;
    // Where HTTP alone has a status, that is the one that counts.
    this.rpcStatus = response.status === 200 || callStatus.isTold ? callStatus.code : undefined;
  }

  get status(): number {
    return this.#response.status;
  }

  get statusText(): string {
    return this.#response.statusText;
  }

  get headers(): readonly string[] {
    return this.#response.headers;
  }

  header(name: string): string | undefined {
    return headerOf(this.#response, name);
  }

  get body(): ResponseBody {
    return this.#response.body;
  }

  get upstream(): Upstream | undefined {
    return this.#response.upstream;
  }
}

/** Room for trailers, and for errors in JSON, beside the limit of a message. */
const trailerBytes = 65_536;

/** Reads an answer of gRPC or gRPC-Web. */
export async function readGrpcAnswer(response: MeshResponse, type: string, maxBytes: number): Promise<UnaryAnswer> {
  const fault = faultOfHead(response, type);
  if (fault !== undefined) return withoutBody(response, fault);
  const read = await readFrames(response.body, Math.max(maxBytes, trailerBytes), 3);
  if (read.fault !== undefined) return answerOf(response, statusOfFault(read.fault));
  const messages = read.content.filter(({ flags }) => flags < trailersFlag);
  const last = read.content.find(({ flags }) => flags >= trailersFlag);
  const trailers = last === undefined ? response.body.trailers : readTrailerFrame(last.data);
  const status = grpcStatusIn(trailers) ?? grpcStatusIn(response.headers) ?? missingStatus;
  if (status.code !== rpcStatus.OK) return answerOf(response, status);
  const [message] = messages;
  if (message === undefined || messages.length > 1) {
    const count = messages.length === 0 ? "no message" : "more than one message";
    return answerOf(response, faultStatus(rpcStatus.UNIMPLEMENTED, `the answer has ${count}, where its method has one`));
  }
  return decoded(response, status, message, headerOf(response, "grpc-encoding"), maxBytes);
}

/** Reads an answer of Connect to a call of one message. */
export async function readConnectAnswer(response: MeshResponse, type: string, maxBytes: number): Promise<UnaryAnswer> {
  const hasFailed = response.status !== 200;
  const given = headerOf(response, "content-type") ?? "";
  if (hasFailed && !given.startsWith("application/json")) return withoutBody(response, faultOfStatus(response));
  if (!hasFailed && !isOfType(given, type)) return withoutBody(response, faultOfType(given, type));
  const read = await readBytes(response.body, hasFailed ? Math.max(maxBytes, trailerBytes) : maxBytes);
  if (read.fault !== undefined) return answerOf(response, statusOfFault(read.fault));
  const data = read.content.length === 1 ? (read.content[0] as Uint8Array) : Buffer.concat(read.content);
  const coding = headerOf(response, "content-encoding");
  const isCompressed = coding !== undefined && coding !== "identity";
  const whole = await decoded(response, toldStatus(rpcStatus.OK), { flags: isCompressed ? compressedFlag : 0, data }, coding, maxBytes);
  if (!hasFailed || whole.message === undefined) return whole;
  return answerOf(response, statusOfJson(jsonOf(whole.message), rpcStatusOfHttp(response.status)));
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

async function decoded(
  response: MeshResponse,
  status: CallStatus,
  { flags, data }: Frame,
  coding: string | undefined,
  maxBytes: number,
): Promise<UnaryAnswer> {
  try {
    if (data.byteLength > maxBytes) throw tooLarge(data.byteLength, maxBytes);
    const isCompressed = (flags & compressedFlag) !== 0;
    return answerOf(response, status, isCompressed ? await decompress(coding, data, maxBytes) : data);
  } catch (thrown) {
    return answerOf(response, statusOfFault(thrown as FrameFault));
  }
}

/** The fault of a head that is none of the protocol. */
export function faultOfHead(response: MeshResponse, type: string): CallStatus | undefined {
  if (response.status !== 200) return faultOfStatus(response);
  const given = headerOf(response, "content-type") ?? "";
  return isOfType(given, type) ? undefined : faultOfType(given, type);
}

function faultOfStatus({ status }: MeshResponse): CallStatus {
  return faultStatus(rpcStatusOfHttp(status), `it answered with HTTP ${status}`);
}

function faultOfType(given: string, type: string): CallStatus {
  const shown = given === "" ? "no content type" : `the content type ${quoted(given)}`;
  return faultStatus(rpcStatus.UNKNOWN, `it answered with ${shown}, where ${type} was asked for: it may be no server of this protocol`);
}

/** `application/grpc` and `application/grpc+proto` are the same type; another codec is another one. */
function isOfType(given: string, type: string): boolean {
  const name = (given.split(";")[0] as string).trim().toLowerCase();
  return name === type || (type.endsWith("+proto") && name === type.slice(0, -6));
}

function withoutBody(response: MeshResponse, status: CallStatus): UnaryAnswer {
  response.body.discard();
  return answerOf(response, status);
}

function answerOf(response: MeshResponse, callStatus: CallStatus, message?: Uint8Array): UnaryAnswer {
  return new UnaryAnswer(response, callStatus, message);
}
