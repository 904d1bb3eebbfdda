import type { EjectionRule } from "../core/ejection-rule.ts";
import type { Pauses } from "./pause.ts";

/** One outage of a circuit, from its opening to its closing: it lasts through failed probes. */
export class Outage {
  /** When the circuit opened, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Lengths of its pauses, from the next one on. */
  pauses: Pauses;
  failedProbes = 0;
  /** Whether the failures that opened the circuit were of bodies. */
  isOfBodies = false;
  #rule: EjectionRule;
  /** The rules that hold the circuit open, the longest-standing one first, and when each is expected to let go of it. */
  readonly #holds = new Map<EjectionRule, number | undefined>();

  constructor(rule: EjectionRule, pauses: Pauses, sinceMs: number) {
    this.#rule = rule;
    this.pauses = pauses;
    this.sinceMs = sinceMs;
  }

  /** The rule that opened the circuit, or one that holds it open. */
  get rule(): EjectionRule {
    return this.#rule;
  }

  /** `true` while a rule holds the circuit open: no pause ends, and no request is a probe. */
  get isHeld(): boolean {
    return this.#holds.size > 0;
  }

  /** When the hold of {@link rule} is expected to end, in milliseconds since the epoch; `undefined` when that is not known. */
  get heldUntilMs(): number | undefined {
    return this.#holds.get(this.#rule);
  }

  /** `rule` holds the circuit open, and is expected to let go of it at `untilMs`. */
  hold(rule: EjectionRule, untilMs: number | undefined): void {
    this.#holds.set(rule, untilMs);
    this.#rule = rule;
  }

  /** `rule` lets go of the circuit. Returns `false` when it had no hold. */
  letGo(rule: EjectionRule): boolean {
    const wasHeld = this.#holds.delete(rule);
    const [left] = this.#holds.keys();
    if (left !== undefined) this.#rule = left;
    return wasHeld;
  }
}
