import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { addToSwitch } from "../../../src/server/connections/switch-header.ts";

const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n";
const added = "HTTP/1.1 101 Switching Protocols\r\nx-a: 1\r\nUpgrade: echo\r\n\r\n";

/** A connection that keeps what is written to it. */
function connection() {
  const socket = new PassThrough();
  let asked = 0;
  addToSwitch(socket, () => `x-a: ${++asked}`);
  // Some versions of Node.js give one chunk for each read, others all of them.
  const written = (): string => {
    const chunks: Buffer[] = [];
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  return { socket, written, asked: () => asked };
}

test.each([
  ["text", (socket: PassThrough) => socket.write(head), added],
  ["text in latin1", (socket: PassThrough) => socket.write(head, "latin1"), added],
  ["bytes with what follows", (socket: PassThrough) => socket.write(Buffer.from(`${head}\u0081`, "latin1")), `${added}\ufffd`],
  ["bytes that are no Buffer", (socket: PassThrough) => socket.write(new TextEncoder().encode(head)), added],
  ["its end", (socket: PassThrough) => socket.end(head), added],
  ["its first line alone", (socket: PassThrough) => socket.write("HTTP/1.1 101 Hi\r\n"), "HTTP/1.1 101 Hi\r\nx-a: 1\r\n"],
])("a response that is written as %s gets the line", (_what, write, expected) => {
  const { socket, written } = connection();
  write(socket);
  expect(written()).toBe(expected);
});

test.each([
  ["a refusal", "HTTP/1.1 400 Bad Request\r\n\r\n"],
  ["a part of the first line", "HTTP/1.1 10"],
  ["something else", "hello"],
])("%s is sent as it is", (_what, text) => {
  const { socket, written, asked } = connection();
  socket.write(text);
  socket.write(Buffer.from(head));
  expect(written()).toBe(text + head);
  expect(asked()).toBe(0);
});

test("only the first chunk is looked at, and the methods are those of before then", () => {
  const { socket, written, asked } = connection();
  expect(Object.hasOwn(socket, "write")).toBe(true);
  socket.write(head);
  expect([Object.hasOwn(socket, "write"), Object.hasOwn(socket, "end")]).toEqual([false, false]);
  socket.write(head);
  socket.end();
  expect(written()).toBe(added + head);
  expect(asked()).toBe(1);
});

test("an end without data, and one with only a callback, end it", async () => {
  connection().socket.end();
  await new Promise<void>((resolve) => connection().socket.resume().end(resolve));
});

test("a method that something wraps meanwhile stays wrapped, and callbacks are called", async () => {
  const { socket, written } = connection();
  const { write } = socket;
  const chunks: unknown[] = [];
  socket.write = ((...args: Parameters<typeof write>) => {
    chunks.push(args[0]);
    return Reflect.apply(write, socket, args);
  }) as typeof socket.write;
  await new Promise<void>((resolve, reject) => socket.write(head, (error) => (error ? reject(error) : resolve())));
  socket.write("more");
  expect(chunks).toEqual([head, "more"]);
  expect(written()).toBe(`${added}more`);
});
