import type { CanaryReading } from "../../core/observing/routes/canary-reading.ts";

/** A canary in the hands of an operator: `mesh.canary(rule)`. */
export interface CanaryControl {
  /** Its state, its share and its counts now. */
  reading(): CanaryReading;
  /** Sends all calls to the stable target, in this process at once, and in all that share its state within seconds. It stays so until {@link resume}. */
  rollBack(why?: string): void;
  /** Begins anew with the first step: earlier outcomes count no more. */
  resume(): void;
}
