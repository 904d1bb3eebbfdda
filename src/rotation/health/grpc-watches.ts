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
}

/**
 * A stream of `Watch` to each instance of a service (gRFC A17). A check of an instance is its last word, and an answer to a ping on its connection; a new word
 * makes the next check due at once. A stream that ends says nothing of the instance: the next check opens another one, and only that one can fail. An
 * instance without `Watch` is asked by `Check`.
 */
export class GrpcWatches {
  readonly #parts: GrpcWatchesParts;
  readonly #watches = new Map<Upstream, GrpcWatch>();
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
  }

  stop(): void {
    for (const upstream of [...this.#watches.keys()]) this.end(upstream);
  }

  #begin(upstream: Upstream): GrpcWatch {
    const { service, open } = this.#parts;
    const watch: GrpcWatch = new GrpcWatch(
      { upstream, service, open },
      {
        onNews: () => this.onNews(upstream),
        onEnd: () => {
          // One that has told something is opened again at once; others wait for their interval.
          const wasTelling = watch.hasTold;
          if (this.#watches.get(upstream) !== watch) return;
          this.#watches.delete(upstream);
          if (wasTelling) this.onNews(upstream);
        },
      },
    );
    this.#watches.set(upstream, watch);
    return watch;
  }
}
