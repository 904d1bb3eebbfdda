import type { Random } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import { cleanText } from "../../core/text/clean-text.ts";
import { type RestAnswer, type RestCallOptions, type RestRequest, restCall } from "./rest-call.ts";
import type { ServerAddress } from "./server-address.ts";

/** Options of {@link Servers}. */
export interface ServersOptions extends RestCallOptions {
  /** `random`: the servers are asked in an order of this client's own. `listed`: in the order of the list. */
  readonly order: "random" | "listed";
  readonly random: Random;
}

/** One server, and how it has behaved. */
interface Server {
  readonly address: ServerAddress;
  /** Its failures since it last answered. */
  failures: number;
  /** Before this time the servers that answer come first. */
  avoidedUntil: number;
}

const basePauseMs = 1_000;
const maxPauseMs = 30_000;

/**
 * The Eureka servers, which replicate each other. Each client asks them in an order of its own, so that many clients with one list spread over
 * them. A call goes to the first one, to the next one at once when that fails; a server that has failed is tried again after a pause with
 * jitter, so that the clients spread again when it is back. Answers of two servers are never merged: the older one would bring removed
 * instances back.
 */
export class Servers {
  readonly #servers: readonly Server[];
  readonly #options: ServersOptions;

  constructor(addresses: readonly ServerAddress[], options: ServersOptions) {
    const servers = addresses.map((address): Server => ({ address, failures: 0, avoidedUntil: Number.NEGATIVE_INFINITY }));
    this.#servers = options.order === "listed" ? servers : shuffled(servers, options.random);
    this.#options = options;
  }

  /**
   * Resolves with the result of `accept` for the first answer that it does not throw on. Rejects with an Error that lists the failure of
   * each server, or with the signal's reason.
   */
  async send<T>(request: RestRequest, accept: (answer: RestAnswer) => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    const failures: string[] = [];
    let cause: unknown;
    for (const server of this.#inTurn()) {
      const { address } = server;
      try {
        const accepted = await accept(await restCall(address, request, this.#options, signal));
        server.failures = 0;
        server.avoidedUntil = Number.NEGATIVE_INFINITY;
        return accepted;
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        this.#avoid(server);
        failures.push(`${address.label}: ${describeError(error)}`);
        cause = error;
      }
    }
    throw new Error(cleanText(failures.join("; ")), { cause });
  }

  /** Those that are not avoided first; of the others, the one whose pause ends first. */
  #inTurn(): readonly Server[] {
    const now = this.#options.clock.now();
    const waitOf = ({ avoidedUntil }: Server) => Math.max(0, avoidedUntil - now);
    return [...this.#servers].sort((one, other) => waitOf(one) - waitOf(other));
  }

  #avoid(server: Server): void {
    const { clock, random } = this.#options;
    const pauseMs = Math.min(maxPauseMs, basePauseMs * 2 ** Math.min(server.failures, 20));
    server.failures++;
    server.avoidedUntil = clock.now() + pauseMs * (0.5 + 0.5 * random());
  }
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  return list
    .map((item) => ({ item, key: random() }))
    .sort((one, other) => one.key - other.key)
    .map(({ item }) => item);
}
