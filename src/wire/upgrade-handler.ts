import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { CancelHandler } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { instanceHeader } from "../core/http/own-headers.ts";
import { codeOfReason, failureOf, record } from "./failure.ts";
import { decodeHeaders, findHeader } from "./raw-headers.ts";

/** A connection that has changed its protocol. */
export interface Upgraded {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** The `x-mesh-instance` of the instance, which ends at the mesh; `undefined` where it said nothing. */
  readonly said: string | undefined;
  readonly socket: Duplex;
}

/** The promise that an upgrade settles. */
interface Settling {
  resolve(upgraded: Upgraded): void;
  reject(error: unknown): void;
}

/** One request for another protocol: undici's dispatch handler, and the cancellation's listener. */
export class UpgradeHandler implements CancelHandler {
  readonly #request: MeshRequest;
  readonly #protocol: string;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #settling: Settling;
  #isSettled = false;
  /** Closes the connection; `undefined` until the request is sent. */
  #close: (() => void) | undefined = undefined;

  constructor(request: MeshRequest, protocol: string, clock: Clock, settling: Settling) {
    this.#request = request;
    this.#protocol = protocol;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#settling = settling;
    request.cancellation.onCancel(this);
  }

  /** The caller has given up, or its time is over: told at once, also while the request waits for a connection. */
  handleCancel(reason: unknown): void {
    if (this.#isSettled) return;
    record(this.#state(), codeOfReason(reason), this.#close !== undefined);
    this.#end(() => this.#settling.reject(reason));
    this.#close?.();
  }

  onConnect(close: () => void): void {
    // Given up while it was queued: it is not sent, and the connection stays intact.
    if (this.#isSettled) throw new Error("given up before it was sent");
    this.#close = close;
  }

  onUpgrade(status: number, headers: Buffer[] | string[] | null, socket: Duplex): void {
    if (this.#isSettled) socket.destroy();
    else {
      const raw = (headers ?? []) as Buffer[];
      this.#end(() => this.#settling.resolve({ status, headers: decodeHeaders(raw), said: findHeader(raw, instanceHeader), socket }));
    }
  }

  onHeaders(status: number): boolean {
    if (status < 200 || this.#isSettled) return true;
    // An answer is no failure of the instance, unless it is a gateway error.
    const { service, attempts } = this.#request;
    record(this.#state(status), undefined, true);
    const message = `"${service}" answered ${status} instead of changing to ${this.#protocol}`;
    this.#end(() => this.#settling.reject(new MeshError("ERR_MESH_PROTOCOL", message, { service, attempts: [...attempts] })));
    this.#close?.();
    return true;
  }

  onData(): boolean {
    return true;
  }

  onComplete(): void {}

  onError(cause: Error): void {
    if (this.#isSettled) return;
    const error = failureOf(this.#state(), cause);
    this.#end(() => this.#settling.reject(error));
  }

  #end(settle: () => void): void {
    this.#isSettled = true;
    this.#request.cancellation.removeListener(this);
    settle();
  }

  #state(status?: number) {
    const ms = this.#clock.now() - this.#startedAt;
    return { request: this.#request, isSent: this.#close !== undefined, hasHead: status !== undefined, status, ms, index: undefined };
  }
}
