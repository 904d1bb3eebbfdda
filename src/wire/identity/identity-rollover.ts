import type { Clock, Random, Timer } from "../../core/clock.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { IdentityChanges } from "./client-identity.ts";

/** Options of {@link IdentityRollover}. */
export interface IdentityRolloverOptions {
  readonly changes: IdentityChanges;
  /** The instances that there are connections to. */
  readonly connected: () => Iterable<Upstream>;
  /** Ends the connections to an instance: idle ones now, the others after their request. */
  readonly release: (upstream: Upstream) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Ends the connections of an earlier identity within the time of grace, each instance's at a random moment of it: a new certificate for a thousand
 * processes must not be a thousand handshakes for one instance. Without an identity that is good, they end at once.
 */
export class IdentityRollover {
  readonly #options: IdentityRolloverOptions;
  readonly #timers = new Map<Upstream, Timer>();
  readonly #unfollow: () => void;

  constructor(options: IdentityRolloverOptions) {
    this.#options = options;
    this.#unfollow = options.changes.follow(this.#changed);
  }

  close(): void {
    this.#unfollow();
    for (const timer of this.#timers.values()) this.#options.clock.clearTimer(timer);
    this.#timers.clear();
  }

  readonly #changed = (): void => {
    const { changes, connected, clock, random } = this.#options;
    for (const upstream of new Set(connected())) {
      if (upstream.endpoint.secure !== true) continue;
      if (!changes.isReady) this.#release(upstream);
      // One that is due already ends what was made since, too.
      else if (!this.#timers.has(upstream))
        this.#timers.set(
          upstream,
          clock.setTimer(() => this.#release(upstream), random() * changes.graceMs, false),
        );
    }
  };

  #release(upstream: Upstream): void {
    this.#options.clock.clearTimer(this.#timers.get(upstream));
    this.#timers.delete(upstream);
    this.#options.release(upstream);
  }
}
