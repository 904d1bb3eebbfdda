import type { AttemptRecord } from "../errors.ts";
import type { Routed } from "../routed.ts";
import type { InstanceState, Upstream } from "../upstream.ts";

/** One of the instances that a decision has compared. */
export interface ComparedInstance {
  /** The id of the endpoint. */
  readonly endpoint: string;
  /** `host:port`, or `unix:` and a path. */
  readonly address: string;
  readonly state: InstanceState;
  /** Attempts in flight, without this one. */
  readonly inFlight: number;
  /** The figures that the picker has decided by, such as the cost and its terms; empty for a picker without any. */
  readonly figures: Readonly<Record<string, number | string>>;
}

/** The end of an attempt, up to its response head. */
export interface DecisionResult {
  /** Milliseconds since the decision. */
  readonly ms: number;
  /** The HTTP status; absent where no response head arrived. */
  readonly status?: number;
  /** The code of the error, or `cancelled`; absent where there was none. */
  readonly code?: string;
}

/** The decision for one attempt: which instance it was sent to, and why. */
export interface PickDecision {
  /** `hedge`: a second attempt beside a slow one. `redirect`: the first attempt of a redirect that was followed. */
  readonly kind: "first" | "retry" | "hedge" | "redirect";
  /** The number of the attempt, from 1; a hedge has that of the attempt beside it. */
  readonly attempt: number;
  /** Milliseconds since the call began. */
  readonly atMs: number;
  /** The id of the endpoint that was chosen. */
  readonly endpoint: string;
  /** Its `host:port`, or `unix:` and a path. */
  readonly address: string;
  /** The reason, in words. */
  readonly reason: string;
  /** Number of candidates in the list that was picked from. */
  readonly candidates: number;
  /** Those that were compared, at most 32, the chosen one among them. */
  readonly compared: readonly ComparedInstance[];
  /** `undefined` while the attempt waits for its response head. */
  readonly result: DecisionResult | undefined;
}

/** The decisions of one call. */
export interface CallTrace {
  readonly service: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly route: string | undefined;
  /** The name of the rule of the routes that decided on the call; `undefined` where none matched. Of a redirect that is followed, that of the first request. */
  readonly rule: string | undefined;
  /** The name of the target that the rule has sent the call to; `undefined` for a rule without a split. */
  readonly target: string | undefined;
  /** Whether `traceRatio` has chosen the call, and not `init.mesh.trace`. */
  readonly sampled: boolean;
  /** A decision for each attempt, retries and hedges included, in their order. Empty where no instance was asked. */
  readonly decisions: readonly PickDecision[];
  /** The attempts that have failed or have a response head, as in `error.attempts`. */
  readonly attempts: readonly AttemptRecord[];
}

/** A pick that may become the decision of an attempt. */
export interface ConsideredPick {
  readonly picked: Upstream;
  readonly reason: string;
  /** Number of candidates in the list. */
  readonly candidates: number;
  readonly compared: readonly ComparedInstance[];
}

/** A request, as far as its trace tells of it. */
export interface TracedRequest {
  readonly service: string;
  readonly method: string;
  readonly route: string | undefined;
  /** The decision of the routes, where they have decided before the trace began. */
  readonly routed: Routed | undefined;
  /** The attempts of the request so far; the array grows. */
  readonly attempts: readonly AttemptRecord[];
}

/** Takes the decisions of one traced call from the parts that make them. */
export interface DecisionRecorder {
  /** The call goes on with another request: a redirect is followed. */
  follow(request: Pick<TracedRequest, "attempts">): void;
  /** The routes have decided: `undefined` where no rule matched. */
  routed(routed: Routed | undefined): void;
  /** A pick was made; the last one before {@link decide} counts. */
  consider(pick: ConsideredPick): void;
  /** The mesh itself has a reason for the pick that follows, or has just been made. */
  because(reason: string): void;
  /** An attempt is sent to `upstream`. `tried`: the list of the call, which gets the upstream afterwards. */
  decide(attempt: number, tried: readonly Upstream[], upstream: Upstream): void;
  /** The attempt at `upstream` has ended, or has its response head. */
  ended(upstream: Upstream, end: Omit<DecisionResult, "ms">): void;
  /** The attempt at `upstream` has failed with `error`, which is none of the mesh where this side has given it up. */
  failed(upstream: Upstream, error: unknown): void;
  /** The trace at this moment, as plain data. */
  read(): CallTrace;
}
