import { isMeshError } from "../errors.ts";
import type { Routed } from "../routed.ts";
import type { Upstream } from "../upstream.ts";
import type { CallTrace, ConsideredPick, DecisionRecorder, DecisionResult, PickDecision, TracedRequest } from "./call-trace.ts";

/** A decision whose attempt may be on its way. */
interface OpenDecision extends PickDecision {
  readonly upstream: Upstream;
  readonly madeAt: number;
  result: DecisionResult | undefined;
}

/** The parts of a {@link TraceRecorder}. */
export interface TraceRecorderOptions {
  readonly request: TracedRequest;
  /** The path without its query. */
  readonly path: string;
  readonly sampled: boolean;
  /** The time in milliseconds of `Clock.now()`. */
  readonly now: () => number;
}

/** Records the decisions of one traced call. Only such calls have one. */
export class TraceRecorder implements DecisionRecorder {
  readonly #options: TraceRecorderOptions;
  readonly #startedAt: number;
  readonly #decisions: OpenDecision[] = [];
  /** The attempts of each request of the call: of one, unless redirects are followed. */
  readonly #attempts: TracedRequest["attempts"][];
  #considered: ConsideredPick | undefined = undefined;
  /** The first decision of the routes: a redirect brings others. `null`: no rule matched. */
  #routed: Routed | null | undefined = undefined;
  /** Reasons of the mesh for a pick, in front of those of the picker. */
  #reasons: string[] = [];
  /** The hop of the last decision, by its list of tried instances: each redirect has one of its own. */
  #hop: readonly Upstream[] | undefined = undefined;

  constructor(options: TraceRecorderOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    this.#attempts = [options.request.attempts];
    this.#routed = options.request.routed;
  }

  follow({ attempts }: Pick<TracedRequest, "attempts">): void {
    this.#attempts.push(attempts);
  }

  routed(routed: Routed | undefined): void {
    if (this.#routed === undefined) this.#routed = routed ?? null;
  }

  consider(pick: ConsideredPick): void {
    this.#considered = pick;
  }

  because(reason: string): void {
    // An attempt that has to wait is picked for again.
    if (!this.#reasons.includes(reason)) this.#reasons.push(reason);
  }

  decide(attempt: number, tried: readonly Upstream[], upstream: Upstream): void {
    const considered = this.#considered?.picked === upstream ? this.#considered : undefined;
    const now = this.#options.now();
    this.#decisions.push({
      kind: this.#kindOf(attempt, tried),
      attempt,
      atMs: now - this.#startedAt,
      endpoint: upstream.id,
      address: upstream.address,
      reason: [...this.#reasons, ...(considered === undefined ? [] : [considered.reason])].join("; "),
      candidates: considered?.candidates ?? 1,
      compared: considered?.compared ?? [],
      upstream,
      madeAt: now,
      result: undefined,
    });
    this.#considered = undefined;
    this.#reasons = [];
    this.#hop = tried;
  }

  ended(upstream: Upstream, end: Omit<DecisionResult, "ms">): void {
    const decision = this.#decisions.findLast((each) => each.upstream === upstream && each.result === undefined);
    if (decision !== undefined) decision.result = { ms: this.#options.now() - decision.madeAt, ...end };
  }

  failed(upstream: Upstream, error: unknown): void {
    this.ended(upstream, { code: isMeshError(error) ? error.code : "cancelled" });
  }

  read(): CallTrace {
    const { request, path, sampled } = this.#options;
    const { service, method, route } = request;
    return {
      service,
      method,
      path,
      route,
      rule: this.#routed?.rule,
      target: this.#routed?.target,
      sampled,
      decisions: this.#decisions.map(({ upstream: _upstream, madeAt: _madeAt, ...decision }) => decision),
      attempts: this.#attempts.flat(),
    };
  }

  #kindOf(attempt: number, tried: readonly Upstream[]): PickDecision["kind"] {
    if (this.#hop === undefined) return "first";
    if (this.#hop !== tried) return "redirect";
    return this.#decisions.some((decision) => decision.attempt === attempt) ? "hedge" : "retry";
  }
}

const recorders = new WeakMap<object, DecisionRecorder>();

/** Lets {@link traceOf} find the trace of a call by its result. */
export function rememberTrace(result: unknown, recorder: DecisionRecorder): void {
  if (typeof result === "object" && result !== null) recorders.set(result, recorder);
}

/**
 * The decisions of a traced call, by its result: the response of `mesh.fetch`, the reply of `mesh.request`, or the error that either rejected with.
 * `undefined` for a call that was not traced (`init.mesh.trace`, `traceRatio`).
 */
export function traceOf(result: unknown): CallTrace | undefined {
  return typeof result === "object" && result !== null ? recorders.get(result)?.read() : undefined;
}
