import { type Context, createContextKey, INVALID_SPAN_CONTEXT, type Span, trace } from "@opentelemetry/api";

// @opentelemetry/core's own key: keys are global symbols, so that the package need not be there.
export const suppressed: symbol = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
export const inAttempt: symbol = createContextKey("inmesh attempt");

/** The key that the API sets spans under, which it does not export: asked for by having one set. */
const spanKey: symbol = (() => {
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
})();

/** Headers without a prototype that the engine keeps in its fast form, which an object made by `Object.create(null)` is not. */
class Carrier {
  readonly [name: string]: string;
}
Object.setPrototypeOf(Carrier.prototype, null);
Reflect.deleteProperty(Carrier.prototype, "constructor");

/**
 * The context of one attempt: its parent's, with a span of its own. One object, where the API's own contexts would be three, each
 * with a copy of everything that is set in it.
 */
export class AttemptContext implements Context {
  readonly span: Span;
  /** Written by the propagator: what carries the span to the instance. */
  readonly headers: Readonly<Record<string, string>> = new Carrier();
  readonly #parent: Context;
  #isSending = false;

  constructor(parent: Context, span: Span) {
    this.#parent = parent;
    this.span = span;
  }

  /**
   * From now on tracing is suppressed in it, so that an instrumentation of undici adds no second span and no second
   * `traceparent`; a propagator, which runs before, would find nothing to carry then.
   */
  startSending(): void {
    this.#isSending = true;
  }

  getValue(key: symbol): unknown {
    if (key === spanKey) return this.span;
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
    const context = this.#parent.setValue(spanKey, this.span);
    return this.#isSending ? context.setValue(suppressed, true).setValue(inAttempt, true) : context;
  }
}
