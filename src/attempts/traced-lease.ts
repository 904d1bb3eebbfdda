import type { Lease } from "./lease.ts";

/** A lease of a traced request, which records the end itself. `tell` is called once, with the response head or the failure. */
export function tracedLease(lease: Lease, tell: () => void): Lease {
  let isTold = false;
  const tellOnce = () => {
    if (!isTold) tell();
    isTold = true;
  };
  return {
    ...lease,
    head(status, headers) {
      lease.head(status, headers);
      tellOnce();
    },
    failed(error) {
      lease.failed(error);
      tellOnce();
    },
    settle(outcome, refused) {
      lease.settle(outcome, refused);
      tellOnce();
    },
  };
}
