import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { TransferListener } from "../core/http/transfer-listener.ts";
import { byName } from "../fetch/reply.ts";

/** Takes the response of a dispatched request, and passes it to a handler of undici of either generation. */
export interface DispatchSink extends TransferListener {
  start(abort: (reason?: unknown) => void): void;
  /** The response head; `headers` are names and values in turn. */
  head(status: number, headers: readonly string[], statusText: string): void;
  data(chunk: Uint8Array): void;
  end(trailers: readonly string[]): void;
  error(error: Error): void;
  upgrade(status: number, headers: readonly string[], socket: Duplex): void;
  /** `undefined` while the handler takes data; else resolves when it has resumed. */
  ready(): Promise<void> | undefined;
}

/** The methods that handlers of both generations have. */
interface AnyHandler {
  onResponseStarted?(): void;
  onBodySent?(chunk: Uint8Array): void;
  onRequestSent?(): void;
}

/** A handler of undici up to version 7, which its own `fetch` and `request` pass, and the `fetch` of Node 22 and 24. */
interface EarlyHandler extends AnyHandler {
  onConnect?(abort: (reason?: unknown) => void, context: object): void;
  onHeaders?(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean;
  onData?(chunk: Buffer): boolean;
  onComplete?(trailers: Buffer[]): void;
  onError?(error: Error): void;
  onUpgrade?(status: number, headers: Buffer[], socket: Duplex): void;
}

/** A handler of undici from version 7 on, which the `fetch` of Node 26 passes. */
interface LateHandler extends AnyHandler {
  onRequestStart?(controller: Controller, context: object): void;
  onResponseStart?(controller: Controller, status: number, headers: Record<string, string | string[]>, statusText: string): void;
  onResponseData?(controller: Controller, chunk: Buffer): void;
  onResponseEnd?(controller: Controller, trailers: Record<string, string | string[]>): void;
  onResponseError?(controller: Controller, error: Error): void;
  onRequestUpgrade?(controller: Controller, status: number, headers: Record<string, string | string[]>, socket: Duplex): void;
}

/** The sink of a handler, by its generation. */
export function sinkOf(handler: object): DispatchSink {
  return (handler as LateHandler).onRequestStart ? new LateSink(handler as LateHandler) : new EarlySink(handler as EarlyHandler);
}

/** Pauses the flow of data to a handler. */
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

/** The part of a sink that is the same for handlers of both generations. */
class HandlerSink<Handler extends AnyHandler> {
  protected readonly handler: Handler;
  protected readonly gate: Gate = new Gate();

  constructor(handler: Handler) {
    this.handler = handler;
  }

  bodySent(chunk: Uint8Array): void {
    this.handler.onBodySent?.(chunk);
  }

  requestSent(): void {
    this.handler.onRequestSent?.();
  }

  responseStarted(): void {
    this.handler.onResponseStarted?.();
  }

  ready(): Promise<void> | undefined {
    return this.gate.opening;
  }
}

class EarlySink extends HandlerSink<EarlyHandler> implements DispatchSink {
  start(abort: (reason?: unknown) => void): void {
    this.handler.onConnect?.(abort, {});
  }

  /** By the method for the head of the response: the handlers of undici tell them apart by the status. */
  information(status: number, headers: readonly string[], statusText: string): void {
    this.handler.onHeaders?.(status, raw(headers), this.gate.open, statusText);
  }

  head(status: number, headers: readonly string[], statusText: string): void {
    if (this.handler.onHeaders?.(status, raw(headers), this.gate.open, statusText) === false) this.gate.close();
  }

  data(chunk: Uint8Array): void {
    if (this.handler.onData?.(bufferOf(chunk)) === false) this.gate.close();
  }

  end(trailers: readonly string[]): void {
    this.handler.onComplete?.(raw(trailers));
  }

  error(error: Error): void {
    this.handler.onError?.(error);
  }

  upgrade(status: number, headers: readonly string[], socket: Duplex): void {
    this.handler.onUpgrade?.(status, raw(headers), socket);
  }
}

/** The controller that a handler from version 7 on gets: it pauses, resumes and aborts the request. */
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

class LateSink extends HandlerSink<LateHandler> implements DispatchSink {
  #controller: Controller = new Controller(this.gate, () => {});

  start(abort: (reason?: unknown) => void): void {
    this.#controller = new Controller(this.gate, abort);
    this.handler.onRequestStart?.(this.#controller, {});
  }

  information(status: number, headers: readonly string[], statusText: string): void {
    this.head(status, headers, statusText);
  }

  head(status: number, headers: readonly string[], statusText: string): void {
    this.#controller.rawHeaders = raw(headers);
    this.handler.onResponseStart?.(this.#controller, status, byName(headers), statusText);
  }

  data(chunk: Uint8Array): void {
    this.handler.onResponseData?.(this.#controller, bufferOf(chunk));
  }

  end(trailers: readonly string[]): void {
    this.#controller.rawTrailers = raw(trailers);
    this.handler.onResponseEnd?.(this.#controller, byName(trailers));
  }

  error(error: Error): void {
    this.handler.onResponseError?.(this.#controller, error);
  }

  upgrade(status: number, headers: readonly string[], socket: Duplex): void {
    this.#controller.rawHeaders = raw(headers);
    this.handler.onRequestUpgrade?.(this.#controller, status, byName(headers), socket);
  }
}

function raw(lines: readonly string[]): Buffer[] {
  return lines.map((part) => Buffer.from(part, "latin1"));
}

function bufferOf(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
