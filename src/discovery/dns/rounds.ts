import type { Clock } from "../../core/clock.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Notifier } from "../notifier.ts";
import { AddressMemory, type AddressQuery } from "./addresses.ts";
import type { AddressType } from "./options.ts";
import { Questions } from "./questions.ts";
import type { Resolve } from "./resolver.ts";

/** The set that the answers of one round make, and its time to live. */
export interface Found {
  readonly endpoints: readonly Endpoint[];
  readonly ttlS: number;
  /** The source says that there is no such service: the SRV target `.` (RFC 2782). */
  readonly isDecidedlyAbsent?: boolean | undefined;
}

/** Options of {@link Rounds}. */
export interface RoundsOptions {
  readonly resolve: Resolve;
  readonly types: readonly AddressType[];
  /** Makes the set of the answers to its queries. An answer that is late counts as one that failed. */
  readonly find: (name: string, query: AddressQuery) => Promise<Found>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Ends a wait for late answers when the next round is due earlier. */
  readonly hint: Notifier;
}

/** The rounds of queries of one watch. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #questions: Questions;
  readonly #memory = new AddressMemory();

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#questions = new Questions(options.resolve, options.clock);
  }

  /**
   * Queries everything about `name` again, and yields the set as soon as any endpoint is known, then again with each answer that was late.
   * Ends when no answer is missing, or at the time `endsAt()`. Throws when it is certain that no set can be made of the answers.
   */
  async *next(name: string, endsAt: () => number): AsyncGenerator<Found, void, undefined> {
    const { types, find, clock, signal, hint } = this.#options;
    const memory = this.#memory;
    const questions = this.#questions;
    memory.nextRound();
    questions.nextRound();
    for (;;) {
      memory.nextLook();
      questions.nextLook();
      try {
        const found = await find(name, { types, resolve: questions.resolve, memory, signal });
        // That nothing is there is not said before everything is answered.
        if (found.endpoints.length > 0 || !questions.isLate) yield found;
      } catch (error) {
        if (signal.aborted || !questions.isLate) throw error;
      }
      if (!questions.isLate || clock.now() >= endsAt()) return;
      await questions.untilJoined(endsAt() - clock.now(), signal, hint);
      if (clock.now() >= endsAt()) return;
    }
  }
}
