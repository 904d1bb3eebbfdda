import type { Lease } from "./lease.ts";

/** A lease that calls `onEnd` too once it has ended; it may do so more than once. */
export function endingLease(lease: Lease, onEnd: () => void): Lease {
  return {
    ...lease,
    failed: (error) => {
      lease.failed(error);
      onEnd();
    },
    settle: (outcome, refused) => {
      lease.settle(outcome, refused);
      onEnd();
    },
  };
}
