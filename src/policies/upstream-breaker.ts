import type { Random } from "../core/clock.ts";
import type { Interceptor, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import type { BreakerState } from "../core/observer.ts";
import { type Outcome, outcomeOfError, outcomeOfResponse } from "../core/outcome.ts";
import type { Upstream } from "../core/upstream.ts";
import { Circuit, type Permit } from "./circuit.ts";
import type { BreakerOptions } from "./service-breaker.ts";

/** What {@link UpstreamBreakers} needs beside the user's options. */
export interface UpstreamBreakersOptions extends BreakerOptions {
  readonly random: Random;
  readonly onState: (upstream: Upstream, state: BreakerState) => void;
}

/**
 * One circuit per upstream, made at its first failure and dropped after ten quiet seconds, so that ten thousand healthy
 * instances cost nothing. Its state decides the upstream's availability and nothing else does.
 */
export class UpstreamBreakers {
  readonly #options: UpstreamBreakersOptions;
  readonly #circuits = new Map<Upstream, Circuit>();
  #isDisposed = false;

  constructor(options: UpstreamBreakersOptions) {
    this.#options = options;
  }

  /** Goes below the balancer: it needs the upstream, and must see attempt timeouts. */
  readonly interceptor: Interceptor = (next) => (request) => {
    const upstream = request.upstream as Upstream;
    const permit = this.#admit(upstream);
    return next(request).then(
      (response) => {
        this.#learn(request, upstream, permit, response);
        return response;
      },
      (error: unknown) => {
        if (outcomeOfError(error) === "failure") this.#fail(upstream, permit, isRefusal(error));
        else this.#release(upstream, permit);
        throw error;
      },
    );
  };

  /**
   * For work that does not go through the pipeline: admits it to the circuit of `upstream` and returns what reports, once,
   * how it ended. `isRefused`: no connection could be made.
   */
  guard(upstream: Upstream): (outcome: Outcome, isRefused: boolean) => void {
    const permit = this.#admit(upstream);
    return (outcome, isRefused) => {
      if (outcome === "failure") this.#fail(upstream, permit, isRefused);
      else if (outcome === "success") this.#succeed(upstream, permit);
      else this.#release(upstream, permit);
    };
  }

  /** State of the circuit of `upstream`. */
  state(upstream: Upstream): BreakerState {
    return this.#circuits.get(upstream)?.state ?? "closed";
  }

  /** The upstream is gone for good. */
  forget(upstream: Upstream): void {
    this.#circuits.get(upstream)?.dispose();
    this.#circuits.delete(upstream);
  }

  /** Releases every circuit; what still ends afterwards makes no new one. */
  dispose(): void {
    this.#isDisposed = true;
    for (const circuit of this.#circuits.values()) circuit.dispose();
    this.#circuits.clear();
  }

  /** A permit; `undefined` when the circuit is not closed and the balancer, in panic, picked the upstream all the same. */
  #admit(upstream: Upstream): Permit | undefined {
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined) return beforeAnyFailure;
    const permit = circuit.admit();
    // One probe at a time: nobody else is sent there until it has ended.
    if (permit?.isProbe) upstream.setAvailability("out");
    return permit;
  }

  #learn(request: MeshRequest, upstream: Upstream, permit: Permit | undefined, response: MeshResponse): void {
    if (outcomeOfResponse(response) === "failure") {
      this.#fail(upstream, permit, false);
      return;
    }
    if (response.body.complete) {
      this.#succeed(upstream, permit);
      return;
    }
    // The head decides a probe, which must not wait for a long body. Otherwise the body does: an instance that answers
    // and then cuts off every body would count as good and bad in turn, and stay.
    const isDecided = permit === undefined || permit.isProbe;
    if (isDecided) this.#succeed(upstream, permit);
    response.body.onClose((error) => {
      // The call's deadline says as much of a caller who reads slowly as of the instance.
      if (error !== undefined && error === request.cancellation.reason) return;
      if (outcomeOfError(error) === "failure") this.#fail(upstream, permit, false);
      else if (!isDecided) this.#succeed(upstream, permit);
    });
  }

  #succeed(upstream: Upstream, permit: Permit | undefined): void {
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined) return;
    if (permit === undefined) circuit.close();
    else circuit.settle(permit, "success");
  }

  #fail(upstream: Upstream, permit: Permit | undefined, trips: boolean): void {
    upstream.failures++;
    if (upstream.removed || this.#isDisposed || permit === undefined) return;
    const circuit = this.#circuits.get(upstream);
    if (circuit !== undefined) {
      circuit.settle(permit, "failure", trips);
      return;
    }
    // The permit is of no circuit, or of one that was dropped when all was quiet: a new circuit begins with this failure.
    this.#create(upstream).settle(beforeAnyFailure, "failure", trips);
  }

  #release(upstream: Upstream, permit: Permit | undefined): void {
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined || permit === undefined) return;
    circuit.settle(permit, "neutral");
    if (circuit.wantsProbe) upstream.setAvailability("probe");
  }

  #create(upstream: Upstream): Circuit {
    const {
      failureRatio = 0.5,
      minCalls = 20,
      consecutiveFailures = 5,
      resetMs = 1_000,
      maxResetMs = 30_000,
      random,
      onState,
    } = this.#options;
    const circuit = new Circuit({
      failureRatio,
      minOutcomes: minCalls,
      consecutiveFailures,
      baseResetMs: resetMs,
      maxResetMs,
      random,
      onState: (state) => {
        upstream.setAvailability(state === "closed" ? "in" : state === "open" ? "out" : "probe");
        onState(upstream, state);
      },
      onProbeOverdue: () => upstream.setAvailability("probe"),
      onQuiet: () => this.forget(upstream),
    });
    this.#circuits.set(upstream, circuit);
    return circuit;
  }
}

/** The permit of a request that began before its upstream had a circuit. */
const beforeAnyFailure: Permit = { generation: 0, isProbe: false };

/** No connection could be made: proof enough with a single failure. */
function isRefusal(error: unknown): boolean {
  return isMeshError(error) && (error.code === "ERR_MESH_CONNECT" || error.code === "ERR_MESH_TLS_PEER");
}
