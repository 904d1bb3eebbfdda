import fc from "fast-check";
import { expect, it } from "vitest";
import { FrameReader, writeFrame } from "../../src/rpc/frames.ts";

const bytes = (...numbers: number[]) => new Uint8Array(numbers);

it("puts a flag and the length in front of a message", () => {
  expect([...writeFrame(1, bytes(7, 8))]).toEqual([1, 0, 0, 0, 2, 7, 8]);
});

it("reads the frames that were written, however they are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (messages, cuts) => {
        const stream = Buffer.concat(messages.map((message, index) => writeFrame(index, message)));
        const reader = new FrameReader(40);
        const read: Uint8Array[] = [];
        let at = 0;
        for (let turn = 0; at < stream.length; turn++) {
          const size = cuts[turn % Math.max(1, cuts.length)] ?? 3;
          for (const { flags, data } of reader.push(stream.subarray(at, at + size))) {
            expect(flags).toBe(read.length);
            read.push(new Uint8Array(data));
          }
          at += size;
        }
        reader.end();
        expect(read).toEqual(messages.map((message) => new Uint8Array(message)));
      },
    ),
  );
});

it("refuses a message that is too large by its prefix", () => {
  const reader = new FrameReader(1_000);
  expect(() => reader.push(bytes(0, 255, 255, 255, 255))).toThrow("a message of 4294967295 bytes is larger than the limit of 1000 bytes");
  expect(new FrameReader(2).push(writeFrame(0, bytes(1, 2)))).toHaveLength(1);
});

it("refuses a stream that ends inside of a message", () => {
  const reader = new FrameReader(10);
  reader.push(bytes(0, 0, 0, 0, 4, 1));
  expect(() => reader.end()).toThrow("the stream ends inside of a message: 1 of 4 bytes have come");
  const half = new FrameReader(10);
  half.push(bytes(0, 0));
  expect(() => half.end()).toThrow("2 of 5 bytes");
});
