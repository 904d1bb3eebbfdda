import assert from "node:assert/strict";
import type { Endpoint } from "../../core/endpoint.ts";
import { checkedAnswer } from "../../discovery/checked-answer.ts";
import type { Discovery } from "../../discovery/discovery.ts";
import { addressesOf, eventually, pause, within } from "./eventually.ts";

/**
 * Reads one watch in the background and keeps every set. When the adapter returns, the watch is started again, as the watcher of a mesh
 * does. After an error it is not: a suite examines the error.
 */
export class WatchReader {
  /** Every set so far, copied when it was yielded. */
  readonly sets: (readonly Endpoint[])[] = [];
  /** The sets that are another array than the one before, and so do more than confirm it. */
  readonly changes: (readonly Endpoint[])[] = [];
  #failure: { readonly error: unknown } | undefined = undefined;
  readonly #originals: { readonly set: readonly Endpoint[]; readonly copy: string }[] = [];
  readonly #controller = new AbortController();
  readonly #done: Promise<void>;

  constructor(discovery: Discovery, service: string) {
    this.#done = this.#read(discovery, service);
  }

  /** The error of the watch; `undefined` when it has not thrown. */
  get error(): unknown {
    return this.#failure?.error;
  }

  /** Whether the watch threw. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** The newest set. */
  get last(): readonly Endpoint[] | undefined {
    return this.sets.at(-1);
  }

  /** Resolves with the first set. */
  async first(withinMs: number): Promise<readonly Endpoint[]> {
    await this.until("a first set", () => true, withinMs);
    return this.sets[0] ?? [];
  }

  /** Resolves with the newest set as soon as it satisfies `condition`; rejects when the watch throws before that. */
  async until(what: string, condition: (set: readonly Endpoint[]) => boolean, withinMs: number): Promise<readonly Endpoint[]> {
    await eventually(
      () => {
        if (this.failed) throw new assert.AssertionError({ message: `expected ${what}, but watch() threw: ${String(this.error)}` });
        return this.last !== undefined && condition(this.last);
      },
      withinMs,
      () => `expected ${what}, got ${this.last === undefined ? "no set at all" : `[${addressesOf(this.last).join(", ")}]`}`,
    );
    assert.ok(this.last);
    return this.last;
  }

  /** Resolves when the watch has thrown. */
  async untilFailed(withinMs: number): Promise<void> {
    await eventually(
      () => this.failed,
      withinMs,
      () => `expected watch() to throw, got ${this.last === undefined ? "silence" : `the set [${addressesOf(this.last).join(", ")}]`}`,
    );
  }

  /** Aborts the watch and waits for its end; rejects when that takes more than `withinMs` or a set was changed after it was yielded. */
  async stop(withinMs = 1_000): Promise<void> {
    this.#controller.abort(new Error("the contract suite ended this watch"));
    await within(this.#done, withinMs, "the end of watch() after its signal had aborted");
    for (const { set, copy } of this.#originals) {
      assert.equal(JSON.stringify(set), copy, "a set was changed after it had been yielded");
    }
  }

  async #read(discovery: Discovery, service: string): Promise<void> {
    const { signal } = this.#controller;
    try {
      while (!signal.aborted) {
        for await (const yielded of discovery.watch(service, signal)) {
          // An adapter may be in the middle of a yield when the signal aborts; that set is dropped.
          if (signal.aborted) return;
          const { endpoints: set } = checkedAnswer(yielded, discovery, service);
          const copy = [...set];
          this.sets.push(copy);
          if (set !== this.#originals.at(-1)?.set) this.changes.push(copy);
          this.#originals.push({ set, copy: JSON.stringify(set) });
        }
        await pause(20);
      }
    } catch (error) {
      if (!signal.aborted) this.#failure = { error };
    }
  }
}
