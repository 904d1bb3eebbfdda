import type { Clock, Timer } from "../../core/clock.ts";
import { fenceResult, warnOfThrow } from "../../core/observing/fence.ts";
import { rpcStatus } from "../../core/rpc/rpc-status.ts";
import { onlyMessage } from "../../rpc/frames.ts";
import { maxHealthRequest, readHealthRequest, type ServingStatus, writeHealthAnswer, writeHealthList } from "../../rpc/health-messages.ts";
import type { ServerReply, ServerRequest } from "../node-server.ts";
import type { ReadinessAnswer } from "../readiness.ts";
import { isGrpcType } from "../streams/refusal-status.ts";
import { streamRequestOf } from "../streams/stream-request.ts";
import { RpcAnswer } from "./health-answer.ts";
import type { ServesService } from "./health-options.ts";

/** The paths of gRPC's health service. */
const prefix = "/grpc.health.v1.Health/";
/** Time between two looks at the readiness while callers watch it, in milliseconds. */
const lookMs = 500;
/** Calls of `Watch` at a time: each is a stream that stays open. */
const maxWatches = 1_000;

/** The parts that a {@link GrpcHealth} works with. */
export interface GrpcHealthParts {
  readonly clock: Clock;
  readonly readiness: () => Promise<ReadinessAnswer>;
  /** The services beside the process as a whole. */
  readonly services: () => readonly string[] | ServesService;
}

interface Watch {
  readonly service: string;
  readonly answer: RpcAnswer;
  said: ServingStatus | undefined;
}

/**
 * `grpc.health.v1.Health` of this process: `Check`, `Watch` and `List`. It is as ready as `/.inmesh/ready`, and tells watchers at once when the server begins to
 * leave, before any connection is closed.
 */
export class GrpcHealth {
  readonly #parts: GrpcHealthParts;
  readonly #watches = new Set<Watch>();
  #timer: Timer = undefined;
  #isEnding = false;

  constructor(parts: GrpcHealthParts) {
    this.#parts = parts;
  }

  /** Whether a request is for this service. */
  has(request: ServerRequest): boolean {
    return request.url?.startsWith(prefix) === true && request.httpVersionMajor === 2 && isGrpcType(request.headers["content-type"]);
  }

  /** Answers a request for this service. */
  answer(request: ServerRequest, reply: ServerReply): void {
    const answer = new RpcAnswer(reply);
    const body = streamRequestOf(request)?.stream ?? request;
    const chunks: Buffer[] = [];
    let length = 0;
    body.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxHealthRequest) answer.end(rpcStatus.RESOURCE_EXHAUSTED, `a request has at most ${maxHealthRequest} bytes`);
      else chunks.push(chunk);
    });
    body.once("end", () => void this.#answer(request.url?.slice(prefix.length) ?? "", Buffer.concat(chunks), { answer, reply }));
  }

  /** Tells watchers what has changed, at once and not with the next look. */
  look(): void {
    if (this.#watches.size > 0) void this.#look();
  }

  /** Ends the calls of watchers, which are told that this instance does not serve. */
  end(): void {
    this.#isEnding = true;
    this.#parts.clock.clearTimer(this.#timer);
    for (const watch of this.#watches) {
      this.#say(watch, "NOT_SERVING");
      watch.answer.end(rpcStatus.UNAVAILABLE, "this instance is stopping");
    }
    this.#watches.clear();
  }

  async #answer(method: string, frame: Buffer, call: { readonly answer: RpcAnswer; readonly reply: ServerReply }): Promise<void> {
    const { answer, reply } = call;
    if (method === "List") return await this.#list(answer);
    if (method !== "Check" && method !== "Watch")
      return answer.end(rpcStatus.UNIMPLEMENTED, `grpc.health.v1.Health has no method ${method}`);
    let service: string;
    try {
      service = askedService(frame);
    } catch (error) {
      return answer.end(rpcStatus.INVALID_ARGUMENT, (error as Error).message);
    }
    if (method === "Watch") return await this.#watch(service, answer, reply);
    const status = await this.#statusOf(service);
    if (status === "SERVICE_UNKNOWN") return answer.end(rpcStatus.NOT_FOUND, "this instance has no such service");
    answer.message(writeHealthAnswer(status));
    answer.end(rpcStatus.OK);
  }

  async #list(answer: RpcAnswer): Promise<void> {
    const services = this.#parts.services();
    const names = ["", ...(typeof services === "function" ? [] : services.slice(0, 99))];
    const { ready } = await this.#ready();
    answer.message(writeHealthList(names.map((each) => [each, this.#given(each, ready)])));
    answer.end(rpcStatus.OK);
  }

  async #watch(service: string, answer: RpcAnswer, reply: ServerReply): Promise<void> {
    if (this.#isEnding) return answer.end(rpcStatus.UNAVAILABLE, "this instance is stopping");
    if (this.#watches.size >= maxWatches) return answer.end(rpcStatus.RESOURCE_EXHAUSTED, `at most ${maxWatches} calls watch at a time`);
    const watch: Watch = { service, answer, said: undefined };
    this.#watches.add(watch);
    reply.once("close", () => {
      this.#watches.delete(watch);
      if (this.#watches.size === 0) this.#disarm();
    });
    const status = await this.#statusOf(service);
    // A look may have come first.
    if (this.#watches.has(watch)) this.#say(watch, status);
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#watches.size === 0) return;
    this.#timer = this.#parts.clock.setTimer(() => void this.#look(), lookMs, false);
  }

  #disarm(): void {
    this.#parts.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    this.#disarm();
    const { ready } = await this.#ready();
    for (const watch of this.#watches) this.#say(watch, this.#given(watch.service, ready));
    this.#arm();
  }

  #say(watch: Watch, status: ServingStatus): void {
    if (watch.said === status) return;
    watch.said = status;
    watch.answer.message(writeHealthAnswer(status));
  }

  async #statusOf(service: string): Promise<ServingStatus> {
    return this.#given(service, (await this.#ready()).ready);
  }

  #ready(): Promise<Pick<ReadinessAnswer, "ready">> {
    return this.#parts.readiness().catch(() => ({ ready: false }));
  }

  /** The status of a service while the process is ready, or is not. */
  #given(service: string, isReady: boolean): ServingStatus {
    const serves = service === "" ? true : this.#serves(service);
    if (serves === undefined) return "SERVICE_UNKNOWN";
    return serves && isReady ? "SERVING" : "NOT_SERVING";
  }

  #serves(service: string): boolean | undefined {
    const services = this.#parts.services();
    if (typeof services !== "function") return services.includes(service) ? true : undefined;
    const what = "the function health.grpc.services";
    try {
      const given: unknown = services(service);
      if (given === undefined || typeof given === "boolean") return given;
      fenceResult(what, given);
      warnOfThrow(what, new TypeError("it returned neither true, false nor undefined"));
    } catch (error) {
      warnOfThrow(what, error);
    }
    return false;
  }
}

/** @throws Error for bytes that are no request in one frame. */
function askedService(frame: Buffer): string {
  const message = onlyMessage(frame);
  if (message !== undefined) return readHealthRequest(message);
  throw new Error(frame[0] === 1 ? "compressed messages are not read here" : "not one message in a frame");
}
