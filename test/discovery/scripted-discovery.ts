import type { Discovery } from "../../src/discovery/discovery.ts";

type Step = { readonly entries: unknown } | { readonly error: unknown } | "end";

/** One watch of a {@link ScriptedDiscovery}, whose answers the test gives. */
export class ScriptedWatch {
  readonly signal: AbortSignal;
  /** `true` once the generator's `finally` has run. */
  isReleased = false;
  #steps: Step[] = [];
  #wake: (() => void) | undefined = undefined;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** Answers with `entries`, which need not be an array. */
  answer(entries: unknown): void {
    this.#push({ entries });
  }

  fail(error: unknown): void {
    this.#push({ error });
  }

  /** Lets the generator return. */
  end(): void {
    this.#push("end");
  }

  async *run(isDeaf: boolean): AsyncGenerator<never> {
    const wake = () => this.#wake?.();
    if (!isDeaf) this.signal.addEventListener("abort", wake);
    try {
      for (;;) {
        const step = this.#steps.shift();
        if (step === "end" || (!isDeaf && this.signal.aborted)) return;
        if (step === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        } else if ("error" in step) throw step.error;
        else yield step.entries as never;
      }
    } finally {
      this.signal.removeEventListener("abort", wake);
      this.isReleased = true;
    }
  }

  #push(step: Step): void {
    this.#steps.push(step);
    this.#wake?.();
  }
}

/** A discovery whose answers a test gives by hand. `isDeaf`: it ignores its signal. */
export class ScriptedDiscovery implements Discovery {
  readonly watches: ScriptedWatch[] = [];
  readonly #isDeaf: boolean;

  constructor({ isDeaf = false }: { readonly isDeaf?: boolean } = {}) {
    this.#isDeaf = isDeaf;
  }

  /** The newest watch. */
  get current(): ScriptedWatch {
    const watch = this.watches.at(-1);
    if (watch === undefined) throw new Error("nothing has been watched");
    return watch;
  }

  watch(_service: string, signal: AbortSignal): AsyncGenerator<never> {
    const watch = new ScriptedWatch(signal);
    this.watches.push(watch);
    return watch.run(this.#isDeaf);
  }
}
