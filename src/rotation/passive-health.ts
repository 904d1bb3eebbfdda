import type { Failure } from "../circuit/circuit.ts";
import { type CircuitPermit, permitOfFirstGeneration } from "../circuit/circuit-permit.ts";
import type { MeshResponse } from "../core/dispatch.ts";
import type { EjectionRule } from "../core/ejection-rule.ts";
import { isUnreachable, type Outcome, outcomeOfResponse } from "../core/outcome.ts";
import { countedStatus } from "../core/rpc/rpc-outcome.ts";
import type { Upstream } from "../core/upstream.ts";
import type { Ejections } from "./ejections.ts";
import type { InstanceCircuits } from "./instance-circuits.ts";

/**
 * How much the head of a response has decided.
 *
 * - `settled`: everything; the body says nothing more.
 * - `succeeded`: the attempt has succeeded, unless the body fails.
 * - `open`: nothing; the body decides.
 */
export type HeadVerdict = "settled" | "succeeded" | "open";

/**
 * Judges instances by their attempts (passive health checking): gives each attempt the permit of its instance's circuit, and tells the circuit
 * and the ejections how it ended. The ledger calls `admit`, then `failed`, or `answered` and `ended`, with what the former returned.
 */
export class PassiveHealth {
  readonly #circuits: InstanceCircuits;
  readonly #ejections: Ejections;

  constructor(circuits: InstanceCircuits, ejections: Ejections) {
    this.#circuits = circuits;
    this.#ejections = ejections;
  }

  /** An attempt at `upstream` begins. */
  admit(upstream: Upstream): CircuitPermit {
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined) return permitOfFirstGeneration;
    const permit = circuit.admit();
    // The circuit is not closed, and the balancer, in panic, has picked the upstream all the same.
    if (permit === undefined) return circuit.panicPermit;
    // One probe at a time: until it has ended, the balancer sends no other request there.
    if (permit.kind === "probe") this.#circuits.show(upstream, circuit);
    return permit;
  }

  /** An admitted attempt has failed before its head. */
  failed(upstream: Upstream, permit: CircuitPermit, error: unknown, outcome: Outcome): void {
    if (outcome === "failure") this.#fail(upstream, permit, { isRefused: isUnreachable(error) });
    else this.#abandon(upstream, permit);
  }

  /** The response head of an admitted attempt has come. Returns what is left to decide, for {@link ended}. */
  answered(upstream: Upstream, permit: CircuitPermit, response: MeshResponse): HeadVerdict {
    const asksToBeLeftAlone = this.#ejections.heedRetryAfter(upstream, response);
    const outcome = outcomeOfResponse(response);
    if (outcome !== "success") {
      if (outcome === "failure") this.#fail(upstream, permit);
      else this.#abandon(upstream, permit);
      return "settled";
    }
    const status = countedStatus(response);
    // The body decides: an instance that answers and then cuts off every body would otherwise count as good and bad in turn, and stay.
    if (permit.kind === "normal" || this.#circuits.get(upstream)?.isOutByBodies) return "open";
    // The head decides a probe, which must not wait for a long body.
    if (!asksToBeLeftAlone) {
      this.#succeed(upstream, permit, isServerError(status));
      return "succeeded";
    }
    // No sign of recovery.
    this.#ejections.count(upstream, isServerError(status));
    this.#failProbe(upstream, permit);
    return "settled";
  }

  /** The body of an answered attempt has closed. */
  ended(upstream: Upstream, permit: CircuitPermit, verdict: HeadVerdict, status: number, outcome: Outcome): void {
    if (verdict === "settled") return;
    if (outcome === "failure") this.#fail(upstream, permit, { isInBody: true });
    else if (outcome === "neutral") this.#abandon(upstream, permit);
    else if (verdict === "open") this.#succeed(upstream, permit, isServerError(status));
  }

  #succeed(upstream: Upstream, permit: CircuitPermit, hasServerError: boolean): void {
    this.#ejections.count(upstream, hasServerError);
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined) return;
    // Out for answers like this one: no sign of recovery.
    if (hasServerError && isOfSweep(circuit.rule)) this.#failProbe(upstream, permit);
    else if (permit.kind === "panic") circuit.close(permit);
    else circuit.settle(permit, "success");
  }

  #fail(upstream: Upstream, permit: CircuitPermit, failure: Failure = {}): void {
    if (this.#circuits.isOver(upstream)) return;
    this.#ejections.count(upstream, true);
    if (permit.kind === "panic") return;
    const circuit = this.#circuits.get(upstream);
    if (circuit !== undefined) circuit.settle(permit, "failure", failure);
    // The permit is of no circuit, or of one that was dropped when all was quiet: a new circuit begins with this failure.
    else this.#circuits.getOrMake(upstream).settle(permitOfFirstGeneration, "failure", failure);
  }

  #failProbe(upstream: Upstream, permit: CircuitPermit): void {
    if (permit.kind === "probe") this.#circuits.get(upstream)?.settle(permit, "failure");
  }

  /** The attempt says nothing of its instance. */
  #abandon(upstream: Upstream, permit: CircuitPermit): void {
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined || permit.kind === "panic") return;
    circuit.settle(permit, "neutral");
    this.#circuits.show(upstream, circuit);
  }
}

/**
 * A 5xx. One that is no gateway error is an answer and no failure that a retry could mend, and one route alone may be broken. An instance whose
 * answers are server errors is an outlier all the same, if the others do better.
 */
function isServerError(status: number): boolean {
  return status >= 500;
}

/** Whether a sweep has found the instance, by rates in which server errors count as failures. */
function isOfSweep(rule: EjectionRule | undefined): boolean {
  return rule === "success rate" || rule === "failure percentage";
}
