import type { Balancer } from "../balancer/balancer.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { isRetryableMethod } from "../core/outcome.ts";
import type { AttemptLedger } from "./attempt-ledger.ts";
import type { FirstAnswer } from "./balance.ts";
import { type Lease, leaseOf } from "./lease.ts";
import { noTls, pickSecure } from "./pick-secure.ts";

/** The instances of a service. */
export interface PickedFrom {
  readonly balancer: Balancer;
  readonly ledger: AttemptLedger;
}

/** Picks an instance for an attempt outside of the pipeline, and begins the attempt; waits for the first endpoints. */
export async function pickLease(request: MeshRequest, wait: FirstAnswer, { balancer, ledger }: PickedFrom): Promise<Lease> {
  if (!wait.isOver) await wait.join(request);
  const mayProbe = isRetryableMethod(request.method, "safe");
  let upstream = balancer.pick(request, mayProbe);
  while (upstream === undefined && request.routed?.subset !== undefined && (await wait.joinForSubset(request))) {
    upstream = balancer.pick(request, mayProbe);
  }
  if (upstream === undefined) throw await wait.noEndpoints(request);
  if (request.requiresTls && !upstream.endpoint.secure) {
    upstream = pickSecure(balancer, request, mayProbe);
    request.trace?.because("one that speaks TLS");
  }
  if (upstream === undefined) throw noTls(request);
  request.trace?.decide(request.attempt, request.tried, upstream);
  return leaseOf(upstream, ledger.begin(upstream, request));
}
