import { AsyncLocalStorage } from "node:async_hooks";
import type { EventEmitter } from "node:events";

/**
 * Has the listeners of emitters run in the asynchronous context of this moment. Node.js tells of the parts of a body in the context of the connection, in
 * which a handler that collects the body by `on("end")` would go on.
 */
export function keepContext(...emitters: readonly EventEmitter[]): void {
  const inContext = AsyncLocalStorage.snapshot();
  for (const emitter of emitters) {
    const { emit } = emitter;
    emitter.emit = function (this: EventEmitter, ...args: unknown[]): boolean {
      return inContext(emitAll, emit, this, args);
    } as EventEmitter["emit"];
  }
}

function emitAll(emit: EventEmitter["emit"], emitter: EventEmitter, args: unknown[]): boolean {
  return Reflect.apply(emit, emitter, args);
}
