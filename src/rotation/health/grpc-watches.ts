import type { Clock, Random, Timer } from "../../core/clock.ts";
import { FailureRun } from "../../core/failure-run.ts";
import type { Upstream } from "../../core/upstream.ts";
import { GrpcWatch, SaidNotServing, WatchUnimplemented } from "./grpc-watch.ts";
import type { OpenConnection } from "./health-check-connection.ts";
import type { HealthCheckProbe } from "./health-check-probe.ts";

/** The parts that {@link GrpcWatches} work with. */
export interface GrpcWatchesParts {
  readonly service: string;
  readonly open: OpenConnection;
  /** The check of instances that have no `Watch`. */
  readonly check: HealthCheckProbe;
  readonly clock: Clock;
  readonly random: Random;
}

/** The pause before the third stream in a row, of which each has soon ended; each further one waits twice as long, up to four times this. */
const pauseMs = 1_000;
/** The part of a pause that is left to chance: streams that have ended together do not come back together. */
const jitter = 0.2;

/** The streams to one instance that have come to their end, one after the other. */
interface Reopening {
  readonly run: FailureRun;
  timer: Timer;
}

/**
 * A stream of `Watch` to each instance of a service (gRFC A17). A check of an instance is its last word, and an answer to a ping on its connection; a new word
 * makes the next check due at once. A stream that ends says nothing of the instance: the next check opens another one, and only that one can fail. It is
 * due at once, or after a pause where streams end soon after they have told something. An instance without `Watch` is asked by `Check`.
 */
export class GrpcWatches {
  readonly #parts: GrpcWatchesParts;
  readonly #watches = new Map<Upstream, GrpcWatch>();
  readonly #reopenings = new Map<Upstream, Reopening>();
  readonly #without = new WeakSet<Upstream>();
  /** Called when there is news of an instance. */
  onNews: (upstream: Upstream) => void = () => {};

  constructor(parts: GrpcWatchesParts) {
    this.#parts = parts;
  }

  readonly probe: HealthCheckProbe = async (upstream, cancellation) => {
    if (this.#without.has(upstream)) return await this.#parts.check(upstream, cancellation);
    const watch = this.#watches.get(upstream) ?? this.#begin(upstream);
    const onCancel = (): void => watch.end();
    cancellation.onCancel(onCancel);
    try {
      await watch.check();
    } catch (error) {
      if (!(error instanceof WatchUnimplemented)) throw error;
      this.#without.add(upstream);
      await this.#parts.check(upstream, cancellation);
    } finally {
      cancellation.removeListener(onCancel);
    }
  };

  /** Whether the end of a check is the word of the instance itself, which needs no second one. */
  isSaid(upstream: Upstream, failure: unknown): boolean {
    return failure instanceof SaidNotServing || (failure === undefined && this.#watches.get(upstream)?.isTelling === true);
  }

  /** Ends the stream to an instance that is checked no more. */
  end(upstream: Upstream): void {
    const watch = this.#watches.get(upstream);
    this.#watches.delete(upstream);
    watch?.end();
    this.#parts.clock.clearTimer(this.#reopenings.get(upstream)?.timer);
    this.#reopenings.delete(upstream);
  }

  stop(): void {
    for (const upstream of [...this.#reopenings.keys()]) this.end(upstream);
  }

  #begin(upstream: Upstream): GrpcWatch {
    const { service, open, clock } = this.#parts;
    const reopening = this.#reopeningOf(upstream);
    // The check of the interval has come before the end of a pause.
    clock.clearTimer(reopening.timer);
    reopening.run.opened();
    const watch: GrpcWatch = new GrpcWatch(
      { upstream, service, open },
      {
        onFirst: () => reopening.run.answered(),
        onNews: () => this.onNews(upstream),
        onEnd: () => {
          if (this.#watches.get(upstream) !== watch) return;
          this.#watches.delete(upstream);
          // One that has told nothing waits for its interval.
          if (watch.hasTold) this.#reopen(upstream, reopening);
        },
      },
    );
    this.#watches.set(upstream, watch);
    return watch;
  }

  #reopeningOf(upstream: Upstream): Reopening {
    let reopening = this.#reopenings.get(upstream);
    if (reopening === undefined) {
      reopening = { run: new FailureRun(this.#parts.clock), timer: undefined };
      this.#reopenings.set(upstream, reopening);
    }
    return reopening;
  }

  /** Makes the check due that opens another stream. */
  #reopen(upstream: Upstream, reopening: Reopening): void {
    const { clock, random } = this.#parts;
    const before = reopening.run.failed();
    if (before === 0) this.onNews(upstream);
    else {
      const ms = pauseMs * 2 ** (before - 1) * (1 + jitter * (2 * random() - 1));
      reopening.timer = clock.setTimer(() => this.onNews(upstream), ms, false);
    }
  }
}
