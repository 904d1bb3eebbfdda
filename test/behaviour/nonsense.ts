import type { Socket } from "node:net";

const mebibyte = 2 ** 20;

/** The content of an answer of a registry, piece by piece. */
type Content = () => Generator<Buffer>;

const instance =
  '{"Node":{"Node":"n","Address":"10.0.0.1"},"Service":{"ID":"a","Service":"orders","Address":"10.0.0.1","Port":80},"Checks":[]}';

function* again(text: string, mebibytes: number): Generator<Buffer> {
  const piece = Buffer.from(text.repeat(Math.ceil(mebibyte / text.length)));
  for (let index = 0; index < mebibytes; index++) yield piece;
}

/** What a registry out of its mind answers, more than any client takes. */
export const nonsense: Readonly<Record<string, Content>> = {
  "spaces without end": () => again(" ", 256),
  *"a string without end"() {
    yield Buffer.from('["');
    yield* again("x", 256);
  },
  *"100 MB of JSON"() {
    yield Buffer.from("[");
    yield* again(`${instance},`, 100);
    yield Buffer.from("0]");
  },
};

/** The same, small enough to be read. */
export const smallNonsense: Readonly<Record<string, Content>> = {
  *"a million entries"() {
    yield Buffer.from(`[${"{},".repeat(1e6)}{}]`);
  },
  *"a million names"() {
    yield Buffer.from(`{${Array.from({ length: 1e6 }, (_, index) => `"k${index}":1`).join(",")}}`);
  },
  *"lists in lists"() {
    yield Buffer.from("[".repeat(5e6));
  },
  *"objects in objects"() {
    yield Buffer.from('{"a":'.repeat(2e6));
  },
  *"a million numbers beside an application"() {
    yield Buffer.from(`{"applications":{"application":[{"name":"ORDERS","instance":[${"1,".repeat(1e6)}1]}]}}`);
  },
};

/** Writes content as fast as it is taken, and ends. */
export function pour(socket: Socket, content: Generator<Buffer>): void {
  for (;;) {
    if (socket.destroyed) return;
    const { done, value } = content.next();
    if (done) {
      socket.end();
      return;
    }
    if (socket.write(value)) continue;
    socket.once("drain", () => pour(socket, content));
    return;
  }
}
