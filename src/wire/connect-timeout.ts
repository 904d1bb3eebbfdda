import type { Socket } from "node:net";
import type { Clock, Timer } from "../core/clock.ts";

/** undici's connector, whatever it is asked for and answers; it returns its socket, though its type says nothing of it. */
type Connector<Target, Result extends readonly unknown[]> = (target: Target, callback: (...result: Result) => void) => unknown;

/** A timer that is later than this was held up by this process, which may be connected and not know it. */
const lateMs = 20;

/**
 * A connector that gives an attempt up after so long, the TLS handshake included, with a timer of ours: undici's counts in steps of half
 * a second. Time in which this process stood still is given back once.
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
      const overdueMs = clock.now() - dueAt;
      if (overdueMs <= lateMs) giveUp();
      else timer = clock.setTimer(giveUp, Math.min(overdueMs, limitMs), false);
    };
    timer = clock.setTimer(expire, limitMs, false);
  };
}

class ConnectTimeout extends Error {
  /** undici's own code for it. */
  readonly code = "UND_ERR_CONNECT_TIMEOUT";

  constructor(limitMs: number) {
    super(`no connection within ${limitMs} ms (connections.connectTimeoutMs)`);
  }
}
