import type { MeshRequest } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import type { CallEnd } from "../core/observing/call-observer.ts";
import type { Routed } from "../core/routed.ts";
import { rpcStatusName } from "../core/rpc/rpc-status.ts";
import { isRefusal } from "./health/refusals.ts";
import { shownText } from "./shown-text.ts";
import type { RecentError } from "./snapshot.ts";

const kept = 50;
const maxAttempts = 20;

/** The places that refused calls have in any case. */
const keptRefusals = 5;

/**
 * The last fifty calls that failed, without possible secrets: queries, headers, bodies, and messages of foreign errors. While a breaker is
 * open hundreds are refused: they push no error out that has a cause of its own.
 */
export class RecentErrors {
  readonly #causes = new Ring<RecentError>(kept);
  readonly #refusals = new Ring<RecentError>(kept);
  #count = 0;

  /** Takes a call that rejected, that had its body cut off, or that was answered with a server error. */
  add(request: MeshRequest, { status, error, rpcStatus }: CallEnd, atMs: number, routed?: Routed): void {
    const attempts = request.attempts.slice(0, maxAttempts).map((attempt) => ({
      endpoint: attempt.endpoint === undefined ? null : shownText(attempt.endpoint),
      phase: attempt.phase,
      ms: attempt.ms,
      code: attempt.code ?? attempt.rpcStatus ?? null,
      status: attempt.status ?? null,
    }));
    const entry: RecentError = {
      id: ++this.#count,
      atMs,
      method: shownText(request.method),
      path: shownText(request.path),
      rule: routed?.rule ?? null,
      target: routed?.target ?? null,
      code: error === undefined ? null : codeOf(error),
      message: error === undefined ? `answered ${rpcStatus === undefined ? status : rpcStatusName(rpcStatus)}` : messageOf(error),
      status: status ?? null,
      maybeExecuted: isMeshError(error) ? error.maybeExecuted : request.attempts.some((attempt) => attempt.maybeExecuted),
      attempts,
    };
    (isRefusal(entry) ? this.#refusals : this.#causes).add(entry);
  }

  /** The calls, the newest first. */
  list(): readonly RecentError[] {
    const refusals = this.#refusals.list();
    const causes = this.#causes.list().slice(0, kept - Math.min(keptRefusals, refusals.length));
    return [...causes, ...refusals.slice(0, kept - causes.length)].sort((one, other) => other.id - one.id);
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

/** The last items of a list. */
export class Ring<Item> {
  readonly #size: number;
  readonly #items: Item[] = [];
  #next = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Takes an item, in the place of the oldest one where there are `size` already. */
  add(item: Item): void {
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#size;
  }

  /** The items, the newest first. */
  list(): readonly Item[] {
    return [...this.#items.slice(this.#next), ...this.#items.slice(0, this.#next)].reverse();
  }
}
