/** The part of opossum that is used here: the package ships no types, and those of DefinitelyTyped are two majors behind. */
declare module "opossum" {
  import type { EventEmitter } from "node:events";

  /** A slice of the rolling window. */
  export interface Bucket {
    fires: number;
    successes: number;
  }

  /** Where a new breaker begins; without it, closed. */
  export interface OpossumState {
    readonly closed: boolean;
    readonly halfOpen: boolean;
  }

  /** A circuit breaker. */
  export interface Opossum<Argument> extends EventEmitter {
    readonly status: {
      /** The buckets of the rolling window, the current one first. */
      readonly window: readonly Bucket[];
      /** Begins a new bucket and drops the oldest. */
      rotateBucket(): void;
    };
    /** Neither open nor half-open. */
    readonly closed: boolean;
    fire(argument: Argument): Promise<void>;
    open(): void;
    close(): void;
    shutdown(): void;
  }

  // The package exports the class itself (CommonJS).
  const CircuitBreaker: new <Argument>(
    action: (argument: Argument) => Promise<void>,
    options: Readonly<Record<string, unknown>>,
  ) => Opossum<Argument>;
  export default CircuitBreaker;
}
