import type { Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { seededRandom } from "../seeded-random.ts";

/**
 * Random numbers of single attempts: the same call has the same luck at whatever server, so that pickers are compared by what they do and not
 * by what they happen to meet.
 */
export class ChanceOfCalls {
  readonly #seed: number;
  /** By the list of attempts, which all attempts of a call share. */
  readonly #numbers = new WeakMap<MeshRequest["attempts"], number>();
  #calls = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A call begins; the order of calls depends on the scenario only. */
  begin({ attempts }: MeshRequest): void {
    this.#numbers.set(attempts, ++this.#calls);
  }

  /** The numbers of one attempt; `undefined` for a request that is no call, such as a probe. */
  readonly of = ({ attempts, tried }: MeshRequest): Random | undefined => {
    const number = this.#numbers.get(attempts);
    if (number === undefined) return undefined;
    return seededRandom(this.#seed ^ Math.imul(number, 0x9e3779b1) ^ Math.imul(tried.length, 0x85ebca6b));
  };
}
