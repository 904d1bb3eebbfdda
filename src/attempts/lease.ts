import type { Balancer } from "../balancer/balancer.ts";
import type { AttemptLearner, Picker } from "../balancer/picker.ts";
import type { Permit } from "../circuit/circuit.ts";
import { BufferedBody } from "../core/buffered-body.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { isRetryableMethod, type Outcome, outcomeOfResponse } from "../core/outcome.ts";
import type { Upstream } from "../core/upstream.ts";
import type { UpstreamBreakers } from "../rotation/upstream-breaker.ts";

/** An instance that was chosen for work which does not go through the pipeline: a socket of `node:http`, an upgraded connection. */
export interface Lease {
  readonly upstream: Upstream;
  /** The request has gone out whole: from here on the time is the instance's and not the client's, who may write slowly. */
  sent(): void;
  /** The response head has come; `headers` are names in lower case and values in turn. */
  head(status: number, headers: readonly string[]): void;
  /** Ends the work; only the first call counts. `refused`: no connection could be made. */
  settle(outcome: Outcome, refused?: boolean): void;
}

/** What {@link leaseFrom} needs of a service. */
export interface Lessor {
  readonly balancer: Balancer;
  readonly breakers: Pick<UpstreamBreakers, "admit" | "answered" | "failed"> | undefined;
  /** The balancer's picker, where it learns from attempts. */
  readonly picker: Pick<Picker, "onAttempt">;
}

/** Picks an upstream, counts it as busy and lets its breaker and the picker learn the outcome; `undefined` when the service has none. */
export function leaseFrom({ balancer, breakers, picker }: Lessor, request: MeshRequest): Lease | undefined {
  const upstream = balancer.pick(request, isRetryableMethod(request.method, "safe"));
  if (upstream === undefined) return undefined;
  upstream.inFlight++;
  upstream.requests++;
  const permit = breakers?.admit(upstream);
  let learner: AttemptLearner | undefined;
  let response: MeshResponse | undefined;
  let isLearnt = false;
  let isSettled = false;

  /** As for an attempt of the pipeline: its breaker looks at the status, and at what the head asks for. */
  const tellBreaker = (outcome: Outcome, refused: boolean) => {
    if (outcome === "neutral") breakers?.failed(upstream, permit as Permit, givenUp);
    else if (response !== undefined && (outcome === "success" || outcomeOfResponse(response) === "failure"))
      breakers?.answered(request, upstream, permit as Permit, response);
    else breakers?.failed(upstream, permit as Permit, failureOf(upstream, refused));
  };

  return {
    upstream,
    sent() {
      if (!isSettled) learner ??= picker.onAttempt?.(upstream, request);
    },
    head(status, headers) {
      if (isSettled || response !== undefined) return;
      response = { status, statusText: "", headers, body: new BufferedBody(), upstream };
      // Before the request has gone out its time says nothing; a picker cannot be told of a head without one.
      isLearnt = learner !== undefined;
      learner?.onHead(response);
    },
    settle(outcome, refused = false) {
      if (isSettled) return;
      isSettled = true;
      upstream.inFlight--;
      tellBreaker(outcome, refused);
      // What the head has said already is not said twice.
      const isKnown = isLearnt && response !== undefined && outcomeOfResponse(response) === "failure";
      const isFailure = outcome === "failure" && !isKnown;
      // An instance that cannot be reached fails before anything is sent.
      if (isFailure) learner ??= picker.onAttempt?.(upstream, request);
      learner?.onEnd(isFailure ? failureOf(upstream, refused) : outcome === "neutral" ? givenUp : undefined);
    },
  };
}

/** What the picker is told of work that the client has given up. */
const givenUp = new Error("the client has given up");

function failureOf({ service, address }: Upstream, refused: boolean): MeshError {
  return refused
    ? new MeshError("ERR_MESH_CONNECT", `no connection to ${address}`, { service, maybeExecuted: false, stack: false })
    : new MeshError("ERR_MESH_PROTOCOL", `the connection to ${address} broke`, { service, stack: false });
}
