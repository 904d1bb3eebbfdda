import type { MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { type AttemptRecord, isMeshError, type MeshErrorCode } from "../../core/errors.ts";
import { countedStatus } from "../../core/rpc/rpc-outcome.ts";
import { httpStatusOf, rpcStatusNamed } from "../../core/rpc/rpc-status.ts";
import type { Receiver } from "../../core/stages/stage.ts";

/** Learns how a call of a split has ended. */
export interface CallOutcome {
  /**
   * The head of its response has come, or it has failed: once.
   * @param isFailure whether it failed, or an attempt of it did that a retry made up for
   * @param ms the time to the head of a response; `undefined` without one
   */
  ended(isFailure: boolean, ms: number | undefined): void;
  /** The body of a response that was no failure has broken. */
  broke(): void;
}

/** Errors of this process, which say nothing of a target: nothing was sent, whichever target it was for. */
const ownErrors: ReadonlySet<MeshErrorCode> = new Set([
  "ERR_MESH_CLOSED",
  "ERR_MESH_FORBIDDEN",
  "ERR_MESH_IDENTITY",
  "ERR_MESH_INVALID_TARGET",
  "ERR_MESH_LOCAL_RESOURCE",
  "ERR_MESH_ROUTE",
  "ERR_MESH_TOKEN",
]);

/** Passes the result of a call on, and tells its outcome. */
export class FollowedCall implements Receiver {
  readonly #request: MeshRequest;
  readonly #receiver: Receiver;
  readonly #outcome: CallOutcome;
  readonly #now: () => number;
  readonly #startedAt: number;

  constructor(request: MeshRequest, receiver: Receiver, outcome: CallOutcome, now: () => number) {
    this.#request = request;
    this.#receiver = receiver;
    this.#outcome = outcome;
    this.#now = now;
    this.#startedAt = now();
  }

  answered(response: MeshResponse): void {
    const isFailure = countedStatus(response) >= 500 || this.#request.attempts.some(hasFailed);
    this.#outcome.ended(isFailure, this.#now() - this.#startedAt);
    if (!isFailure) {
      response.body.onClose((error) => {
        // The status of a remote procedure call may come behind its messages.
        if (isFailureOfTarget(error) || (this.#request.rpc !== undefined && countedStatus(response) >= 500)) this.#outcome.broke();
      });
    }
    this.#receiver.answered(response);
  }

  failed(error: unknown): void {
    // A call that its caller gave up has no outcome.
    if (isFailureOfTarget(error)) this.#outcome.ended(true, undefined);
    this.#receiver.failed(error);
  }
}

function isFailureOfTarget(error: unknown): boolean {
  return isMeshError(error) && !ownErrors.has(error.code);
}

/** Whether an attempt failed. One that was given up, by the caller or since another was faster, has the name of an error as its code. */
function hasFailed({ status, rpcStatus, code }: AttemptRecord): boolean {
  if (rpcStatus !== undefined) return httpStatusOf(rpcStatusNamed(rpcStatus)) >= 500;
  if (status !== undefined) return status >= 500;
  return code !== undefined && /^[A-Z][A-Z0-9_]+$/.test(code);
}
