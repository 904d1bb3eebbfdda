import { type Clock, heldUpMs, type Timer } from "../core/clock.ts";
import type { GiveUp, Opened } from "./address-race.ts";

/**
 * Ends a connection attempt, the TLS handshake included, after a time limit. Time in which this process stood still is added to the limit once.
 */
export function connectTimeout(open: (opened: Opened) => GiveUp, limitMs: number, clock: Clock, opened: Opened): GiveUp {
  const dueAt = clock.now() + limitMs;
  let timer: Timer;
  const giveUp = open((...result) => {
    clock.clearTimer(timer);
    opened(...result);
  });
  const end = () => giveUp(new ConnectTimeout(limitMs));
  const expire = () => {
    // The connection may exist without this process having noticed.
    const extraMs = heldUpMs(clock, dueAt, limitMs);
    if (extraMs === 0) end();
    else timer = clock.setTimer(end, extraMs, false);
  };
  timer = clock.setTimer(expire, limitMs, false);
  return giveUp;
}

class ConnectTimeout extends Error {
  /** The code that undici uses. */
  readonly code = "UND_ERR_CONNECT_TIMEOUT";

  constructor(limitMs: number) {
    super(`no connection within ${limitMs} ms (connections.connectTimeoutMs)`);
  }
}
