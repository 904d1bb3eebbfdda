import type { Clock, Timer } from "../../core/clock.ts";

/** The events of an undici pool for the beginning and the end of its connections. */
export interface ConnectionEvents {
  on(event: "connect" | "disconnect", listener: (origin: URL, targets: readonly object[]) => void): unknown;
}

/** A connection of an undici pool. undici keeps the time at which it was made in `ttl`, in milliseconds since the epoch. */
interface Aged {
  ttl?: number;
}

/** A `ttl` with which undici does not ask for the time. */
const young = 0;
/** A `ttl` beyond every limit. */
const old = 1;

/**
 * Sets the `ttl` of the connections of a pool with `clientTtl` only when they are too old. undici asks for the time at each connection that it
 * passes over, twice with every request: with 32 requests at a time that is a sixth of the cost of one.
 *
 * Returns a function that makes all of its connections too old now: those that are idle close, the others after the request they have.
 */
export function tellAgeOnce(pool: ConnectionEvents, maxAgeMs: number, clock: Clock): () => void {
  /** The time at which each connection is too old, in the order in which they were made. */
  const oldAt = new Map<Aged, number>();
  let timer: Timer;
  let isSet = false;
  const wait = (): void => {
    const [next] = oldAt.values();
    isSet = next !== undefined;
    if (next !== undefined) timer = clock.setTimer(age, Math.max(1, next - clock.now()), false);
  };
  const age = (): void => {
    const now = clock.now();
    for (const [connection, at] of oldAt) {
      if (at > now) break;
      connection.ttl = old;
      oldAt.delete(connection);
    }
    wait();
  };
  // Runs after undici's own listener, which sets `ttl` to the time.
  pool.on("connect", (_origin, targets) => {
    for (const target of targets as readonly Aged[]) {
      if (target === pool) continue;
      target.ttl = young;
      oldAt.delete(target);
      oldAt.set(target, Math.ceil(clock.now()) + maxAgeMs);
    }
    if (!isSet) wait();
  });
  pool.on("disconnect", (_origin, targets) => {
    for (const target of targets as readonly Aged[]) oldAt.delete(target);
    if (oldAt.size > 0 || !isSet) return;
    clock.clearTimer(timer);
    isSet = false;
  });
  return () => {
    for (const connection of oldAt.keys()) connection.ttl = old;
    oldAt.clear();
    if (isSet) clock.clearTimer(timer);
    isSet = false;
  };
}
