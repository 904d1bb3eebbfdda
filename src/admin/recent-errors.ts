import type { MeshRequest } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import type { CallEnd } from "../core/observing/call-observer.ts";
import { shownText } from "./shown-text.ts";
import type { RecentError } from "./snapshot.ts";

const kept = 50;
const maxAttempts = 20;

/** The last fifty calls that failed, without possible secrets: queries, headers, bodies, and messages of foreign errors. */
export class RecentErrors {
  readonly #ring: RecentError[] = [];
  #next = 0;
  #count = 0;

  /** Takes a call that rejected, that had its body cut off, or that was answered with a server error. */
  add(request: MeshRequest, { status, error }: CallEnd, atMs: number): void {
    const attempts = request.attempts.slice(0, maxAttempts).map((attempt) => ({
      endpoint: attempt.endpoint === undefined ? null : shownText(attempt.endpoint),
      phase: attempt.phase,
      ms: attempt.ms,
      code: attempt.code ?? null,
      status: attempt.status ?? null,
    }));
    this.#ring[this.#next] = {
      id: ++this.#count,
      atMs,
      method: shownText(request.method),
      path: shownText(request.path),
      code: error === undefined ? null : codeOf(error),
      message: error === undefined ? `answered ${status}` : messageOf(error),
      status: status ?? null,
      maybeExecuted: isMeshError(error) ? error.maybeExecuted : request.attempts.some((attempt) => attempt.maybeExecuted),
      attempts,
    };
    this.#next = (this.#next + 1) % kept;
  }

  /** The calls, the newest first. */
  list(): readonly RecentError[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse();
  }
}

function codeOf(error: unknown): string {
  if (isMeshError(error)) return error.code;
  return error instanceof Error ? shownText(error.name) : typeof error;
}

/** Messages of the mesh hold no secret; those of other errors may hold anything. */
function messageOf(error: unknown): string {
  if (isMeshError(error)) return shownText(error.message);
  return "the message is not shown: it is no error of the mesh";
}
