import { describeError } from "../../core/errors.ts";
import { cleanText } from "../../core/text/clean-text.ts";
import { type RestAnswer, type RestCallOptions, type RestRequest, restCall } from "./rest-call.ts";
import type { ServerAddress } from "./server-address.ts";

/**
 * The Eureka servers, which replicate each other. A call goes to one of them, to the next one at once when that fails, and later calls begin
 * with the server that answered. Answers of two servers are never merged: the older one would bring removed instances back.
 */
export class Servers {
  readonly #addresses: readonly ServerAddress[];
  readonly #options: RestCallOptions;
  #current = 0;

  constructor(addresses: readonly ServerAddress[], options: RestCallOptions) {
    this.#addresses = addresses;
    this.#options = options;
  }

  /**
   * Resolves with the result of `accept` for the first answer that it does not throw on. Rejects with an Error that lists the failure of
   * each server, or with the signal's reason.
   */
  async send<T>(request: RestRequest, accept: (answer: RestAnswer) => T, signal?: AbortSignal): Promise<T> {
    const failures: string[] = [];
    let cause: unknown;
    const first = this.#current;
    for (let turn = 0; turn < this.#addresses.length; turn++) {
      const index = (first + turn) % this.#addresses.length;
      const server = this.#addresses[index] as ServerAddress;
      try {
        const accepted = accept(await restCall(server, request, this.#options, signal));
        this.#current = index;
        return accepted;
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        failures.push(`${server.label}: ${describeError(error)}`);
        cause = error;
      }
    }
    throw new Error(cleanText(failures.join("; ")), { cause });
  }
}
