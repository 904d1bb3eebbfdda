import type { DecisionRecorder } from "../core/observing/call-trace.ts";
import type { Lease } from "./lease.ts";

/** A lease whose end is recorded in the trace of its request. `tell` is called once, with the response head or the failure. */
export function tracedLease(lease: Lease, trace: DecisionRecorder, tell: () => void): Lease {
  const { upstream } = lease;
  let isTold = false;
  const tellOnce = () => {
    if (!isTold) tell();
    isTold = true;
  };
  return {
    ...lease,
    head(status, headers) {
      trace.ended(upstream, { status });
      lease.head(status, headers);
      tellOnce();
    },
    failed(error) {
      trace.failed(upstream, error);
      lease.failed(error);
      tellOnce();
    },
    settle(outcome, refused) {
      // As the lease judges it for the books.
      if (outcome === "neutral") trace.ended(upstream, { code: "cancelled" });
      else if (outcome === "failure") trace.ended(upstream, { code: refused ? "ERR_MESH_CONNECT" : "ERR_MESH_PROTOCOL" });
      lease.settle(outcome, refused);
      tellOnce();
    },
  };
}
