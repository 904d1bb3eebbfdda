import type { Duplex } from "node:stream";

const clearTextKey = Symbol("inmesh clear text");

interface Marked {
  [clearTextKey]?: true;
}

/** Notes that a server with an identity has let a connection pass in clear text. */
export function noteClearText(socket: Duplex): void {
  (socket as Marked)[clearTextKey] = true;
}

/** Whether a server with an identity has let the connection pass in clear text. */
export function isClearTextBesideTls(socket: Duplex): boolean {
  return (socket as Marked)[clearTextKey] === true;
}
