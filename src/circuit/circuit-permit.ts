/**
 * The permission to make one request; its outcome is reported with it.
 *
 * - `normal`: the circuit is closed.
 * - `probe`: the circuit is half-open, and this request decides whether it closes.
 * - `panic`: the circuit admits no request, and this one is made all the same because no other instance is left.
 */
export interface CircuitPermit {
  readonly kind: "normal" | "probe" | "panic";
  /** The generation of the circuit in which it was given: outcomes of earlier generations are not counted. */
  readonly generation: number;
}

/** The permit of requests that began before there was a circuit, and of a circuit whose state has never changed. */
export const permitOfFirstGeneration: CircuitPermit = { kind: "normal", generation: 0 };

let generations = 0;

/** A number that no other generation has, of this circuit or another one: permits outlive circuits. */
export function nextGeneration(): number {
  return ++generations;
}
