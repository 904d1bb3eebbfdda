import type { CircuitPermit } from "./circuit-permit.ts";
import type { Outage } from "./outage.ts";
import type { Pause } from "./pause.ts";

/** Requests are admitted, and their outcomes counted. */
export interface Closed {
  readonly state: "closed";
  failuresInRow: number;
  /** Ticks of the window since the last failure; `undefined` when there was none, or for a whole window. */
  ticksSinceFailure: number | undefined;
}

/** No request is admitted. */
export interface Open {
  readonly state: "open";
  readonly outage: Outage;
  /** The pause that ends in half-open; `undefined` while the outage is held. */
  pause: Pause | undefined;
}

/** One request at a time is admitted, as the probe. */
export interface HalfOpen {
  readonly state: "half-open";
  readonly outage: Outage;
  /** The probe under way, and the ticks of the window since it began. */
  probe: { readonly permit: CircuitPermit; ticks: number } | undefined;
}

/** Every request is admitted, and no outcome counted. */
export interface Disposed {
  readonly state: "disposed";
}

/** The phase of a circuit, with what is known in it and in no other. */
export type CircuitPhase = Closed | Open | HalfOpen | Disposed;
