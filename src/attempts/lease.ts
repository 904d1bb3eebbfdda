import { BufferedBody } from "../core/buffered-body.ts";
import { MeshError } from "../core/errors.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Upstream } from "../core/upstream.ts";
import type { Attempt } from "./attempt-ledger.ts";

/** An attempt outside of the pipeline: a request on a socket of `node:http`, an upgraded connection. */
export interface Lease {
  readonly upstream: Upstream;
  /** The value of `authorization` that the request has to carry: the token of the service; `undefined` for none, and where the request has its own. */
  readonly authorization?: string | undefined;
  /** The request has been sent whole: from now on the time is the instance's, and not that of a client that may write slowly. */
  sent(): void;
  /** The response head has come; `headers` are names in lower case and values in turn. */
  head(status: number, headers: readonly string[]): void;
  /** Ends the attempt with an error of the mesh, which is judged; only the first end counts. */
  failed(error: unknown): void;
  /** Ends the attempt; only the first end counts. `refused`: no connection could be made. */
  settle(outcome: Outcome, refused?: boolean): void;
}

/** The leases of an upstream that have no answer yet, and what waits until there is none. */
interface Unanswered {
  count: number;
  readonly thens: (() => void)[];
}

const unanswered = new WeakMap<Upstream, Unanswered>();

/**
 * Calls `then` once no lease of the upstream is without an answer, at once where none is. The request of a lease may wait for its connection, and nothing
 * repeats it: the instance must not be told before that nothing more comes.
 */
export function whenAnswered(upstream: Upstream, then: () => void): void {
  const found = unanswered.get(upstream);
  if (found === undefined) then();
  else found.thens.push(then);
}

/** A lease begins to wait for its answer. Returns its end, which counts once. */
function waitForAnswer(upstream: Upstream): () => void {
  const known = unanswered.get(upstream) ?? { count: 0, thens: [] };
  known.count++;
  unanswered.set(upstream, known);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    known.count--;
    if (known.count > 0) return;
    unanswered.delete(upstream);
    for (const then of known.thens) then();
  };
}

/** The books of `attempt` for a client that reports outcomes, and has no responses and errors of the mesh. */
export function leaseOf(upstream: Upstream, attempt: Attempt): Lease {
  const answered = waitForAnswer(upstream);
  return {
    upstream,
    sent: () => attempt.sent(),
    head(status, headers) {
      attempt.head({ status, statusText: "", headers, body: new BufferedBody(), upstream });
      answered();
    },
    failed(error) {
      attempt.end(error);
      answered();
    },
    settle(outcome, refused = false) {
      // A failure that the head has shown is not counted again.
      const isFailure = outcome === "failure" && !attempt.hasFailedHead;
      attempt.end(isFailure ? failureOf(upstream, refused) : outcome === "neutral" ? givenUp : undefined);
      answered();
    },
  };
}

/** Ends an attempt that the client has given up. */
const givenUp = new Error("the client has given up");

function failureOf({ service, address }: Upstream, refused: boolean): MeshError {
  return refused
    ? new MeshError("ERR_MESH_CONNECT", `no connection to ${address}`, { service, maybeExecuted: false, stack: false })
    : new MeshError("ERR_MESH_PROTOCOL", `the connection to ${address} broke`, { service, stack: false });
}

/** The lease, that calls `leave` once: at its end. */
export function leaving(lease: Lease, leave: () => void): Lease {
  let isOver = false;
  const end = (): void => {
    if (!isOver) leave();
    isOver = true;
  };
  return {
    ...lease,
    failed: (error) => {
      lease.failed(error);
      end();
    },
    settle: (outcome, refused) => {
      lease.settle(outcome, refused);
      end();
    },
  };
}
