import type { Clock } from "../core/clock.ts";
import { onceMark } from "../core/http/own-headers.ts";

/** The callers of a server that it can tell apart, and whether it has had others. */
export interface CallersLeft {
  /** Meshes that have called within the time for which callers are known, and have not let go since. */
  readonly meshes: number;
  /** Whether a request came within that time that names no mesh. */
  readonly others: boolean;
}

/** Most meshes that are told apart; one more counts as a caller of another kind. */
const maxMeshes = 10_000;

/** Callers that are no meshes are noted once within this time, in milliseconds: to tell them from probes takes longer than the rest. */
const otherMs = 1_000;

/** A connection, as far as its end matters. */
export interface Closing {
  once(event: "close", listener: () => void): unknown;
}

/** A mesh that has called. */
interface Mesh {
  /** The time of its last request. */
  at: number;
  /** Its open connections. */
  connections: number;
  /** Whether it has sent a request that nothing repeats. */
  sendsOnce: boolean;
}

/**
 * The callers of a server. A mesh names itself in its requests. It is forgotten when its last connection has closed, since what it then sends to a server that
 * has gone is not sent at all, and it repeats it elsewhere; and when it says that it has let go of the instance, which alone counts for one whose
 * requests nothing repeats. What it says shortens the wait for itself alone.
 */
export class Callers {
  readonly #memoryMs: number;
  readonly #clock: Clock;
  readonly #meshes = new Map<string, Mesh>();
  #otherAt = Number.NEGATIVE_INFINITY;
  #hasBeenCalled = false;

  constructor(memoryMs: number, clock: Clock) {
    this.#memoryMs = memoryMs;
    this.#clock = clock;
  }

  /** Whether it has had a caller at all: nothing is known of those of a server that has had none yet. */
  get hasBeenCalled(): boolean {
    return this.#hasBeenCalled;
  }

  /** A request has come, with this `x-mesh-caller`, or from a caller that is no mesh. `connection`: the one whose first request it is. */
  called(said: string | undefined, connection: Closing | undefined): void {
    const now = this.#clock.now();
    this.#hasBeenCalled = true;
    const isOnce = said?.endsWith(onceMark) === true;
    const mesh = isOnce ? said.slice(0, -onceMark.length) : said;
    const known = mesh === undefined ? undefined : (this.#meshes.get(mesh) ?? this.#join(mesh, now));
    if (mesh === undefined || known === undefined) {
      this.#otherAt = now;
      return;
    }
    known.at = now;
    known.sendsOnce ||= isOnce;
    if (connection === undefined) return;
    known.connections++;
    connection.once("close", () => {
      known.connections--;
      if (known.connections === 0 && !known.sendsOnce && this.#meshes.get(mesh) === known) this.#meshes.delete(mesh);
    });
  }

  /** Whether a call by a caller of another kind would be news: within a second of one, it is none. */
  isOtherDue(now: number): boolean {
    return now - this.#otherAt >= otherMs;
  }

  /** A mesh says that it sends nothing more, until it calls again. */
  letGo(mesh: string): void {
    this.#meshes.delete(mesh);
  }

  /** The callers that may still call. */
  left(): CallersLeft {
    const since = this.#clock.now() - this.#memoryMs;
    this.#forget(since);
    return { meshes: this.#meshes.size, others: this.#otherAt + otherMs >= since };
  }

  #join(mesh: string, now: number): Mesh | undefined {
    if (this.#meshes.size >= maxMeshes) this.#forget(now - this.#memoryMs);
    if (this.#meshes.size >= maxMeshes || mesh.length > 64) return undefined;
    const joined = { at: now, connections: 0, sendsOnce: false };
    this.#meshes.set(mesh, joined);
    return joined;
  }

  #forget(since: number): void {
    for (const [mesh, { at }] of this.#meshes) if (at < since) this.#meshes.delete(mesh);
  }
}
