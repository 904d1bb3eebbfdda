import type { Endpoint } from "../../core/endpoint.ts";
import { isCliffAfter } from "../cliff.ts";

/**
 * The doubt about an answer that leaves most of the known addresses out. A second answer without them, a moment later, is certain of it, as
 * long as it lists any: a zone that was lost is empty, and one that is cut off in the middle is a rare accident. An answer that lists
 * nothing is never certain.
 */
export class SecondAnswer {
  /** The addresses of the last answer that left no doubt. */
  #known: readonly Endpoint[] = [];
  #isOpen = false;

  /** Whether a second answer is awaited. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Takes an answer; `true` when it is the second one of its kind. */
  confirms(endpoints: readonly Endpoint[]): boolean {
    if (endpoints.length === 0) {
      this.#isOpen = false;
      return false;
    }
    const isSecond = this.#isOpen;
    this.#isOpen = !isSecond && isCliffAfter(this.#known, endpoints);
    if (this.#isOpen) return false;
    const isConfirmed = isSecond && isCliffAfter(this.#known, endpoints);
    this.#known = endpoints;
    return isConfirmed;
  }
}
