import type { Socket } from "node:net";

/** The kinds of connections that their first bytes tell apart; `closed` for one whose client ends it before. */
export type Opening = "tls" | "http1" | "http2" | "closed";

/** The first byte of a TLS handshake (RFC 8446 §5.1), which begins no request of HTTP. */
const handshakeByte = 0x16;
/** The beginning of HTTP/2 by prior knowledge (RFC 9113 §3.4); they are no method of HTTP/1.1. */
const preface = Buffer.from("PRI ");
const toTell = preface.length;

/** Calls `told` once, when the first bytes of a connection tell what it is. They stay in its buffer for the reader that comes next. */
export function tellOpening(socket: Socket, told: (opening: Opening) => void): void {
  const end = (opening: Opening): void => {
    socket.off("readable", look);
    socket.off("close", onClose);
    socket.off("end", onClose);
    told(opening);
  };
  // A probe connects and says nothing, and closes its side only.
  const onClose = (): void => end("closed");
  // Held until they tell: bytes that are put back would be announced again at once.
  let held: Buffer = Buffer.alloc(0);
  const look = (): void => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    const opening = openingOf(held);
    if (opening === undefined) return;
    socket.unshift(held);
    end(opening);
  };
  socket.on("readable", look);
  socket.once("close", onClose);
  socket.once("end", onClose);
}

function openingOf(bytes: Buffer): Opening | undefined {
  if (bytes[0] === handshakeByte) return "tls";
  const length = Math.min(toTell, bytes.length);
  if (!preface.subarray(0, length).equals(bytes.subarray(0, length))) return "http1";
  return length === toTell ? "http2" : undefined;
}
