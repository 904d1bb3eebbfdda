import type { Context, Span } from "@opentelemetry/api";
import { loadedApi } from "../open-telemetry-api.ts";

// Context keys of the API are global symbols; the first one is that of @opentelemetry/core.
export const suppressed: symbol = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
export const inAttempt: symbol = Symbol.for("inmesh attempt");

let spanKey: symbol | undefined;

/** The key under which the API sets spans. It is not exported; a context that records the key finds it out. */
function findSpanKey(): symbol {
  const { trace, INVALID_SPAN_CONTEXT } = loadedApi();
  let asked: symbol | undefined;
  const context: Context = {
    getValue: () => undefined,
    deleteValue: () => context,
    setValue: (key) => {
      asked = key;
      return context;
    },
  };
  trace.setSpan(context, trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
  return asked as symbol;
}

/** Headers without a prototype. Unlike an object made by `Object.create(null)`, the engine keeps one of a class in its fast form. */
class Carrier {
  readonly [name: string]: string;
}
Object.setPrototypeOf(Carrier.prototype, null);
Reflect.deleteProperty(Carrier.prototype, "constructor");

/**
 * The context of one attempt: that of its parent with a span of its own. It is one object, where the API would make three contexts, each
 * with a copy of all that is set in it.
 */
export class AttemptContext implements Context {
  readonly span: Span;
  /** The headers that carry the span to the instance; the propagator writes them. */
  readonly headers: Readonly<Record<string, string>> = new Carrier();
  readonly #spanKey: symbol;
  readonly #parent: Context;
  #isSending = false;

  constructor(parent: Context, span: Span) {
    spanKey ??= findSpanKey();
    this.#spanKey = spanKey;
    this.#parent = parent;
    this.span = span;
  }

  /**
   * Suppresses tracing in this context from now on, so that an instrumentation of undici adds neither a second span nor a second
   * `traceparent`. The propagator runs before: it carries nothing where tracing is suppressed.
   */
  startSending(): void {
    this.#isSending = true;
  }

  getValue(key: symbol): unknown {
    if (key === this.#spanKey) return this.span;
    if (this.#isSending && (key === suppressed || key === inAttempt)) return true;
    return this.#parent.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return this.#asOneOfTheApi().setValue(key, value);
  }

  deleteValue(key: symbol): Context {
    return this.#asOneOfTheApi().deleteValue(key);
  }

  #asOneOfTheApi(): Context {
    const context = this.#parent.setValue(this.#spanKey, this.span);
    return this.#isSending ? context.setValue(suppressed, true).setValue(inAttempt, true) : context;
  }
}
