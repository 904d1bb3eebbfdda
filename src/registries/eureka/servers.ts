import { describeError } from "../../core/errors.ts";
import { type ExchangeOptions, exchange, type RestAnswer, type RestRequest } from "./exchange.ts";
import type { ServerAddress } from "./server-address.ts";

/**
 * The Eureka servers, which replicate each other: one is asked, the next one at once when it fails, and whoever answered
 * is asked first from then on. Two servers' answers are never merged: the older one would bring removed instances back.
 */
export class Servers {
  readonly #addresses: readonly ServerAddress[];
  readonly #options: ExchangeOptions;
  #current = 0;

  constructor(addresses: readonly ServerAddress[], options: ExchangeOptions) {
    this.#addresses = addresses;
    this.#options = options;
  }

  /**
   * Resolves with what `accept` makes of the first answer that it does not throw at. Rejects with an Error that says what
   * each server did, or with the signal's reason.
   */
  async send<T>(request: RestRequest, accept: (answer: RestAnswer) => T, signal?: AbortSignal): Promise<T> {
    const failures: string[] = [];
    let cause: unknown;
    const first = this.#current;
    for (let turn = 0; turn < this.#addresses.length; turn++) {
      const index = (first + turn) % this.#addresses.length;
      const server = this.#addresses[index] as ServerAddress;
      try {
        const accepted = accept(await exchange(server, request, this.#options, signal));
        this.#current = index;
        return accepted;
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        failures.push(`${server.label}: ${describeError(error)}`);
        cause = error;
      }
    }
    throw new Error(failures.join("; "), { cause });
  }
}
