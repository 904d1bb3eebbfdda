import { AsyncLocalStorage } from "node:async_hooks";
import { createReadStream } from "node:fs";
import { Readable, Stream } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { CallerStream, letGoOf } from "../../src/fetch/caller-stream.ts";
import { rejectionOf } from "../support/rejection.ts";
import { until } from "../support/until.ts";

type Chunk = Uint8Array | string;
type Given = ConstructorParameters<typeof CallerStream>[0];

const endless = {
  "a web stream": (onEnd: (reason?: unknown) => void): Given => new ReadableStream({ pull: () => new Promise(() => {}), cancel: onEnd }),
  "a stream of Node": (onEnd: (reason?: unknown) => void): Given =>
    new Readable({
      read() {},
      destroy(_error, callback) {
        onEnd();
        callback(null);
      },
    }),
  "an iterable": (onEnd: (reason?: unknown) => void): AsyncIterable<Chunk> => ({
    [Symbol.asyncIterator]: (): AsyncIterator<Chunk> => ({
      next: () => new Promise<IteratorResult<Chunk>>(() => {}),
      return: () => {
        onEnd();
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  }),
};

async function textOf(stream: AsyncIterable<Chunk>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += Buffer.from(chunk as string).toString();
  return text;
}

async function* letters(): AsyncGenerator<Chunk> {
  yield "ab";
  yield Buffer.from("cd");
}

describe("a stream of a caller", () => {
  for (const [name, make] of Object.entries(endless)) {
    it(`that is ${name} is ended while its next chunk is awaited`, () => {
      const onEnd = vi.fn();
      const stream = new CallerStream(make(onEnd), undefined);
      stream.next().catch(() => {});
      stream.letGo(new Error("over"));
      stream.letGo(new Error("over"));
      expect(onEnd).toHaveBeenCalledOnce();
    });
  }

  it.each(["a web stream", "a stream of Node"] as const)("that is %s is ended before it was read", (name) => {
    const onEnd = vi.fn();
    new CallerStream(endless[name](onEnd), undefined).letGo(undefined);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it("that is a generator which has not begun never begins", async () => {
    const generator = letters();
    new CallerStream(generator, undefined).letGo(undefined);
    expect(await generator.next()).toEqual({ done: true, value: undefined });
  });

  it("does not pass for ended when it was let go", async () => {
    const stream = new CallerStream(letters(), undefined);
    await stream.next();
    stream.letGo(undefined);
    expect(await rejectionOf(stream.next())).toBeInstanceOf(TypeError);
  });

  it("may fail to end without harm", async () => {
    const failures: Given[] = [
      new ReadableStream({ cancel: () => Promise.reject(new Error("no")) }),
      {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
        return() {
          throw new Error("no");
        },
      } as Given,
    ];
    for (const given of failures) new CallerStream(given, undefined).letGo(undefined);
    await new Promise((resolve) => setImmediate(resolve));
  });

  it("that is a file which is not there does not end the process before it is read", async () => {
    const file = createReadStream("/nowhere/at/all");
    const stream = new CallerStream(file, undefined);
    await until("it has failed", () => file.closed);
    expect(file.listenerCount("error")).toBe(0);
    expect(await rejectionOf(stream.next())).toMatchObject({ code: "ENOENT" });
  });

  it("that is older than iteration is read, and destroyed", async () => {
    const make = () => Object.assign(new Stream(), { pause() {}, resume() {}, destroy: vi.fn() });
    const old = make();
    const stream = new CallerStream(old as never, undefined);
    const text = textOf(stream);
    old.emit("data", Buffer.from("a"));
    old.emit("data", Buffer.from("b"));
    old.emit("end");
    expect(await text).toBe("ab");
    const unread = make();
    new CallerStream(unread as never, undefined).letGo(undefined);
    expect(unread.destroy).toHaveBeenCalledOnce();
  });

  it.each([
    [3, "more than the 3 bytes"],
    [5, "after 4 of the 5 bytes"],
  ])("of four bytes with the length %i fails", async (length, message) => {
    expect(String(await rejectionOf(textOf(new CallerStream(letters(), length))))).toContain(message);
  });

  it("with the right length is read", async () => {
    expect(await textOf(new CallerStream(letters(), 4))).toBe("abcd");
  });

  it("that is a web stream is not locked once it has been read", async () => {
    const web = ReadableStream.from(["a"]) as ReadableStream;
    const stream = new CallerStream(web, undefined);
    expect(await textOf(stream)).toBe("a");
    stream.letGo(undefined);
    expect(web.locked).toBe(false);
  });

  it("begins with what was put back", async () => {
    const stream = new CallerStream(letters(), 4);
    const { value } = await stream.next();
    stream.putBack([value as Chunk], stream.next());
    expect(await textOf(stream)).toBe("abcd");
  });

  it("is read and ended in the context in which it was given", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const note = () => void seen.push(storage.getStore());
    const given = storage.run(
      "the caller",
      () => new CallerStream(new ReadableStream({ pull: note, cancel: note }, { highWaterMark: 0 }), undefined),
    );
    await storage.run("another", async () => {
      given.next().catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
      given.letGo(undefined);
    });
    expect(seen).toEqual(["the caller", "the caller"]);
  });
});

describe("a stream that nobody took", () => {
  it("is ended, unless it is locked or has been read by another", async () => {
    const cancel = vi.fn();
    const free = new ReadableStream({ cancel });
    letGoOf(free, "why");
    expect(cancel).toHaveBeenCalledExactlyOnceWith("why");
    const locked = new ReadableStream({ cancel });
    locked.getReader();
    const read = Readable.from(["a", "b"]);
    await read[Symbol.asyncIterator]().next();
    for (const other of [locked, read, undefined, null, "text", 5, {}, new FormData(), new Blob([])]) letGoOf(other, "why");
    expect(cancel).toHaveBeenCalledOnce();
    expect(read.destroyed).toBe(false);
  });
});
