import type { Duplex } from "node:stream";

/** The head of a response that switches protocols, as far as the end of its first line. */
const switchLine = /^HTTP\/1\.[01] 101[^\r\n]{0,200}\r\n/;
/** Bytes of a chunk in which the first line is looked for. */
const lineBytes = 256;

/**
 * Adds a header line to the response by which a handler switches protocols. A handler of an upgrade writes the response to the connection by itself, so that
 * the line goes into the first chunk that it writes, behind the first line of that; a chunk that does not begin with such a response is sent as it is.
 * `line`, without its end, is asked for then.
 */
export function addToSwitch(socket: Duplex, line: () => string): void {
  let isDone = false;
  const own = Object.getOwnPropertyDescriptors(socket) as Record<"write" | "end", PropertyDescriptor | undefined>;
  const { write, end } = socket;
  const take = (args: unknown[]): unknown[] => {
    if (isDone || args.length === 0 || typeof args[0] === "function") return args;
    isDone = true;
    giveBack(socket, "write", newWrite, own.write);
    giveBack(socket, "end", newEnd, own.end);
    return [withLine(args[0], line), ...args.slice(1)];
  };
  const newWrite = function (this: Duplex, ...args: unknown[]): boolean {
    return Reflect.apply(write, this, take(args));
  };
  const newEnd = function (this: Duplex, ...args: unknown[]): Duplex {
    return Reflect.apply(end, this, take(args));
  };
  socket.write = newWrite as Duplex["write"];
  socket.end = newEnd as Duplex["end"];
}

/** Undoes what was put in place of a method, unless something else has wrapped it meanwhile. */
function giveBack(socket: Duplex, name: "write" | "end", ours: unknown, before: PropertyDescriptor | undefined): void {
  if (socket[name] !== ours) return;
  if (before === undefined) delete (socket as Partial<Duplex>)[name];
  else Object.defineProperty(socket, name, before);
}

function withLine(chunk: unknown, line: () => string): unknown {
  if (typeof chunk === "string") return chunk.replace(switchLine, (first) => `${first}${line()}\r\n`);
  if (!(chunk instanceof Uint8Array)) return chunk;
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const [first] = switchLine.exec(bytes.toString("latin1", 0, lineBytes)) ?? [];
  if (first === undefined) return chunk;
  return Buffer.concat([bytes.subarray(0, first.length), Buffer.from(`${line()}\r\n`, "latin1"), bytes.subarray(first.length)]);
}
