import { constants, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ZstdFrames } from "../../../src/fetch/decoding/zstd-frames.ts";

const noise = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919 + (index >> 3) * 104_729) & 0xff));
const checked = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
/** RFC 8878 §3.1.2: a frame that decoders skip. */
const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

const streams: Readonly<Record<string, Buffer>> = {
  "nothing in it": zstdCompressSync(""),
  "a few bytes": zstdCompressSync("a few bytes"),
  "one repeated byte": zstdCompressSync(Buffer.alloc(1_000_000)),
  "several blocks": zstdCompressSync(noise),
  "a checksum": zstdCompressSync(noise.subarray(0, 1_000), checked),
  "two frames": Buffer.concat([zstdCompressSync("one"), zstdCompressSync("two", checked)]),
  "a frame that is skipped": Buffer.concat([skippable, zstdCompressSync("one")]),
};

/** Whether the stream is whole after each of its bytes. */
function wholeAfter(stream: Buffer, size: number): number[] {
  const frames = new ZstdFrames();
  const whole: number[] = [];
  for (let start = 0; start < stream.length; start += size) {
    frames.take(stream.subarray(start, start + size));
    if (frames.isWhole) whole.push(Math.min(start + size, stream.length));
  }
  return whole;
}

describe("a zstd stream", () => {
  it.each(Object.entries(streams))("with %s is whole at its end, in whatever pieces it comes", (name, stream) => {
    for (const size of [1, 2, 3, 1_000, stream.length]) expect(wholeAfter(stream, size).at(-1)).toBe(stream.length);
    const ends = name === "two frames" ? [zstdCompressSync("one").length] : name === "a frame that is skipped" ? [skippable.length] : [];
    expect(wholeAfter(stream, 1)).toEqual([...ends, stream.length]);
  });

  it("that goes on with what is no frame is whole", () => {
    const frames = new ZstdFrames();
    frames.take(Buffer.concat([zstdCompressSync("one"), Buffer.alloc(100)]));
    expect(frames.isWhole).toBe(true);
  });
});
