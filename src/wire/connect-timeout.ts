import type { Socket } from "node:net";
import { type Clock, heldUpMs, type Timer } from "../core/clock.ts";

/** undici's connector. It returns its socket, though its type does not say so. */
type Connector<Target, Result extends readonly unknown[]> = (target: Target, callback: (...result: Result) => void) => unknown;

/**
 * A connector that ends a connection attempt, the TLS handshake included, after a time limit. The timer is the mesh's own, since undici's
 * counts in steps of half a second. Time in which this process stood still is added to the limit once.
 */
export function connectTimeout<Target, Result extends readonly unknown[]>(
  connector: Connector<Target, Result>,
  timeoutMs: () => number,
  clock: Clock,
): Connector<Target, Result> {
  return (target, callback) => {
    const limitMs = timeoutMs();
    const dueAt = clock.now() + limitMs;
    let timer: Timer;
    const socket = connector(target, (...result) => {
      clock.clearTimer(timer);
      callback(...result);
    }) as Socket;
    const giveUp = () => socket.destroy(new ConnectTimeout(limitMs));
    const expire = () => {
      // The connection may exist without this process having noticed.
      const extraMs = heldUpMs(clock, dueAt, limitMs);
      if (extraMs === 0) giveUp();
      else timer = clock.setTimer(giveUp, extraMs, false);
    };
    timer = clock.setTimer(expire, limitMs, false);
  };
}

class ConnectTimeout extends Error {
  /** The code that undici uses. */
  readonly code = "UND_ERR_CONNECT_TIMEOUT";

  constructor(limitMs: number) {
    super(`no connection within ${limitMs} ms (connections.connectTimeoutMs)`);
  }
}
