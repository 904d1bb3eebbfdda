import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { byName } from "../fetch/reply.ts";

/** The receiver of a response, for handlers of both generations of undici. */
export interface DispatchSink {
  start(abort: (reason?: unknown) => void): void;
  /** `headers`: names and values in turn. */
  head(status: number, headers: readonly string[], statusText: string): void;
  data(chunk: Uint8Array): void;
  end(trailers: readonly string[]): void;
  error(error: Error): void;
  upgrade(status: number, headers: readonly string[], socket: Duplex): void;
  /** A promise while the reader has paused, which resolves when it goes on; `undefined` otherwise. */
  ready(): Promise<void> | undefined;
}

/** The handlers of undici up to 7 (`onConnect`, `onHeaders`, …), of its own `fetch` and `request` and of the `fetch` of Node 22 and 24. */
interface EarlyHandler {
  onConnect?(abort: (reason?: unknown) => void, context: object): void;
  onHeaders?(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean;
  onData?(chunk: Buffer): boolean;
  onComplete?(trailers: Buffer[]): void;
  onError?(error: Error): void;
  onUpgrade?(status: number, headers: Buffer[], socket: Duplex): void;
}

/** The handlers of undici from 7 on (`onRequestStart`, `onResponseStart`, …), and of the `fetch` of Node 26. */
interface LateHandler {
  onRequestStart?(controller: Controller, context: object): void;
  onResponseStart?(controller: Controller, status: number, headers: Record<string, string | string[]>, statusText: string): void;
  onResponseData?(controller: Controller, chunk: Buffer): void;
  onResponseEnd?(controller: Controller, trailers: Record<string, string | string[]>): void;
  onResponseError?(controller: Controller, error: Error): void;
  onRequestUpgrade?(controller: Controller, status: number, headers: Record<string, string | string[]>, socket: Duplex): void;
}

/** Makes the sink of a handler. */
export function sinkOf(handler: object): DispatchSink {
  return "onRequestStart" in handler ? new LateSink(handler as LateHandler) : new EarlySink(handler as EarlyHandler);
}

/** Pauses a reader and lets it go on. */
class Gate {
  #opening: Promise<void> | undefined = undefined;
  #open: () => void = () => {};

  close(): void {
    this.#opening ??= new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  readonly open = (): void => {
    this.#opening = undefined;
    this.#open();
  };

  get opening(): Promise<void> | undefined {
    return this.#opening;
  }
}

class EarlySink implements DispatchSink {
  readonly #handler: EarlyHandler;
  readonly #gate = new Gate();

  constructor(handler: EarlyHandler) {
    this.#handler = handler;
  }

  start(abort: (reason?: unknown) => void): void {
    this.#handler.onConnect?.(abort, {});
  }

  head(status: number, headers: readonly string[], statusText: string): void {
    if (this.#handler.onHeaders?.(status, raw(headers), this.#gate.open, statusText) === false) this.#gate.close();
  }

  data(chunk: Uint8Array): void {
    if (this.#handler.onData?.(bufferOf(chunk)) === false) this.#gate.close();
  }

  end(trailers: readonly string[]): void {
    this.#handler.onComplete?.(raw(trailers));
  }

  error(error: Error): void {
    this.#handler.onError?.(error);
  }

  upgrade(status: number, headers: readonly string[], socket: Duplex): void {
    this.#handler.onUpgrade?.(status, raw(headers), socket);
  }

  ready(): Promise<void> | undefined {
    return this.#gate.opening;
  }
}

/** The controller that a late handler gets for its request. */
class Controller {
  rawHeaders: Buffer[] = [];
  rawTrailers: Buffer[] = [];
  aborted = false;
  reason: unknown = null;
  paused = false;
  readonly #gate: Gate;
  readonly #abort: (reason?: unknown) => void;

  constructor(gate: Gate, abort: (reason?: unknown) => void) {
    this.#gate = gate;
    this.#abort = abort;
  }

  pause(): void {
    this.paused = true;
    this.#gate.close();
  }

  resume(): void {
    this.paused = false;
    this.#gate.open();
  }

  abort(reason?: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#abort(reason);
  }
}

class LateSink implements DispatchSink {
  readonly #handler: LateHandler;
  readonly #gate = new Gate();
  #controller: Controller = new Controller(this.#gate, () => {});

  constructor(handler: LateHandler) {
    this.#handler = handler;
  }

  start(abort: (reason?: unknown) => void): void {
    this.#controller = new Controller(this.#gate, abort);
    this.#handler.onRequestStart?.(this.#controller, {});
  }

  head(status: number, headers: readonly string[], statusText: string): void {
    this.#controller.rawHeaders = raw(headers);
    this.#handler.onResponseStart?.(this.#controller, status, byName(headers), statusText);
  }

  data(chunk: Uint8Array): void {
    this.#handler.onResponseData?.(this.#controller, bufferOf(chunk));
  }

  end(trailers: readonly string[]): void {
    this.#controller.rawTrailers = raw(trailers);
    this.#handler.onResponseEnd?.(this.#controller, byName(trailers));
  }

  error(error: Error): void {
    this.#handler.onResponseError?.(this.#controller, error);
  }

  upgrade(status: number, headers: readonly string[], socket: Duplex): void {
    this.#controller.rawHeaders = raw(headers);
    this.#handler.onRequestUpgrade?.(this.#controller, status, byName(headers), socket);
  }

  ready(): Promise<void> | undefined {
    return this.#gate.opening;
  }
}

function raw(lines: readonly string[]): Buffer[] {
  return lines.map((part) => Buffer.from(part, "latin1"));
}

function bufferOf(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
