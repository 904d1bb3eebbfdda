import type { EventEmitter } from "node:events";
import { AsyncContext } from "../../core/async-context.ts";

const contextKey = Symbol("inmesh context");
const emitKey = Symbol("inmesh emit");

/** The events on which a handler goes on with a body. */
const bodyEvents: ReadonlySet<string | symbol> = new Set(["data", "end", "readable", "drain", "error", "aborted"]);

interface Kept extends EventEmitter {
  [contextKey]: AsyncContext;
  [emitKey]: EventEmitter["emit"];
}

/**
 * Has the listeners for bodies of one or two emitters run in the asynchronous context of this moment. Node.js tells of the parts of a body in the context of the connection, in
 * which a handler that collects the body by `on("end")` would go on.
 */
export function keepContext(one: EventEmitter, other?: EventEmitter): void {
  const context = new AsyncContext();
  keep(one as Kept, context);
  if (other !== undefined) keep(other as Kept, context);
}

/** One function for all emitters: a closure for each costs more than the context. */
function keep(emitter: Kept, context: AsyncContext): void {
  emitter[contextKey] = context;
  emitter[emitKey] = emitter.emit;
  emitter.emit = emitInContext as EventEmitter["emit"];
}

function emitInContext(this: Kept, ...args: Parameters<EventEmitter["emit"]>): boolean {
  // Most events of a request are none of these, and come after its answer.
  if (!bodyEvents.has(args[0])) return Reflect.apply(this[emitKey], this, args);
  return this[contextKey].apply(this[emitKey], this, args);
}
