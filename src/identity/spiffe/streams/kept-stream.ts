import type { Clock, Random, Timer } from "../../../core/clock.ts";
import { type CallEnd, endError, grpcCodes, openChannel, refusedMessage } from "./channel.ts";
import { GrowingPause } from "./growing-pause.ts";
import type { GrpcClient, GrpcPackage } from "./grpc-package.ts";
import { ProcessHold } from "./process-hold.ts";

/** The part of a call of `@grpc/grpc-js` that is used, with messages as bytes. */
export interface StreamCall {
  on(event: "data", listener: (bytes: Buffer) => void): unknown;
  on(event: "status", listener: (status: CallEnd) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  cancel(): void;
}

/** A stream of messages that is always to be open. */
export interface StreamPlan {
  /** Names the other end in messages. */
  readonly peer: string;
  /** The target as gRPC writes it: `unix:/run/agent.sock`, `127.0.0.1:8081`. */
  readonly target: string;
  readonly maxMessageBytes: number;
  /** The first message must come within so many milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Makes the call. */
  open(client: GrpcClient, grpc: GrpcPackage): StreamCall;
  /**
   * Takes a message. Returns after how many milliseconds without another one the stream counts as dead; `undefined`: never. Throws for a wrong
   * message, which is told by `failed`; the stream goes on.
   */
  receive(bytes: Buffer): number | undefined;
  /**
   * Whether there is another way to ask, where the other end does not have this one (UNIMPLEMENTED): the stream is opened again then, at once. Absent:
   * there is none.
   */
  hasOtherWay?(): boolean;
  /** Is told what went wrong; `code` where gRPC has ended the call. */
  failed(error: Error, code: number | undefined): void;
}

/** The standard's codes of a request that will never be served: repeating it changes nothing. */
const isFinal = (code: number): boolean => code === grpcCodes.invalidArgument || code === grpcCodes.unimplemented;

/**
 * Keeps one stream open, and the process alive only until its first message: opens it again after pauses that grow, where it ends, does not begin, or brings nothing for too long. Each time by a new
 * channel, which finds a socket that was replaced.
 */
export class KeptStream {
  readonly #plan: StreamPlan;
  readonly #grpc: GrpcPackage;
  readonly #pause: GrowingPause;
  /** Ends the stream that is open. */
  #end: (() => void) | undefined = undefined;
  /** Until the next stream, or until the one that is open counts as dead. */
  #timer: Timer | undefined = undefined;
  /** Whether a usable message has come, on any of them. */
  #isAnswered = false;
  #isClosed = false;

  constructor(plan: StreamPlan, grpc: GrpcPackage) {
    this.#plan = plan;
    this.#grpc = grpc;
    this.#pause = new GrowingPause(plan.clock, plan.random);
    this.#open();
  }

  close(): void {
    this.#isClosed = true;
    this.#clear();
    this.#end?.();
  }

  #open(): void {
    const { peer, target, timeoutMs, maxMessageBytes } = this.#plan;
    // A call may wait for the first message; none waits for the next.
    const hold = new ProcessHold(this.#isAnswered);
    const client = openChannel(this.#grpc, target, maxMessageBytes, hold);
    const call = this.#plan.open(client, this.#grpc);
    let isOpen = true;
    const end = (): void => {
      isOpen = false;
      this.#end = undefined;
      call.cancel();
      client.close();
    };
    const over = (error: Error, code: number | undefined): void => {
      end();
      this.#over(error, code);
    };
    this.#end = end;
    // A stream without a listener for its error would end the process; the status says the same, and also ends a stream that is well.
    call.on("error", () => {});
    call.on("status", (status) => {
      if (isOpen) over(endError(peer, status), status.code);
    });
    call.on("data", (bytes) => {
      if (isOpen) this.#receive(bytes, hold, over);
    });
    this.#after(timeoutMs, () => over(new Error(`${peer} has sent no usable message within ${timeoutMs} ms`), undefined));
  }

  #receive(bytes: Buffer, hold: ProcessHold, over: (error: Error, code: number | undefined) => void): void {
    const { peer } = this.#plan;
    let deadAfterMs: number | undefined;
    try {
      deadAfterMs = this.#plan.receive(bytes);
    } catch (error) {
      this.#plan.failed(refusedMessage(peer, error), undefined);
      return;
    }
    // The receiver may have closed it.
    if (this.#isClosed) return;
    this.#isAnswered = true;
    hold.letGo();
    this.#pause.answered();
    this.#clear();
    if (deadAfterMs !== undefined)
      this.#after(deadAfterMs, () => over(new Error(`${peer} has sent no renewal in time; the stream is opened again`), undefined));
  }

  #over(error: Error, code: number | undefined): void {
    this.#clear();
    if (code === grpcCodes.unimplemented && this.#plan.hasOtherWay?.() === true) {
      this.#after(0, () => this.#open());
      return;
    }
    const final = code !== undefined && isFinal(code);
    const pauseMs = this.#pause.failed();
    if (!final) this.#after(pauseMs, () => this.#open());
    this.#plan.failed(final ? new Error(`${error.message}; it is not asked again`) : error, code);
  }

  #after(delayMs: number, callback: () => void): void {
    this.#clear();
    if (!this.#isClosed) this.#timer = this.#plan.clock.setTimer(callback, delayMs, false);
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#plan.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
