/** The state of a breaker, as opossum holds it. */
export type BreakerState = "closed" | "open" | "half-open";
