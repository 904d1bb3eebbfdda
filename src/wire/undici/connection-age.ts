import type { Clock, Timer } from "../../core/clock.ts";

/** What of an undici pool is needed: it says when one of its connections is there, and when it has gone. */
export interface ConnectionEvents {
  on(event: "connect" | "disconnect", listener: (origin: URL, targets: readonly object[]) => void): unknown;
}

/** Where undici keeps when a connection of a pool was made, in milliseconds since the epoch. */
interface Aged {
  ttl?: number;
}

/** What undici does not look at. */
const young = 0;
/** What is too old for every limit. */
const old = 1;

/**
 * Tells a pool that has undici's `clientTtl` only then how old a connection is when it is too old: undici asks what time it is for
 * each connection that it passes over, twice with every request, which with 32 at a time is a sixth of what a request costs.
 */
export function tellAgeOnce(pool: ConnectionEvents, maxAgeMs: number, clock: Clock): void {
  /** When each connection is too old, those first that were made first. */
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
  // After undici's own listener, which notes the time.
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
}
