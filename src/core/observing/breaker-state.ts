/** The state of a circuit breaker. */
export type BreakerState = "closed" | "open" | "half-open";
