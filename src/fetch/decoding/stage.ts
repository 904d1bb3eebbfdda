import type { Transform } from "node:stream";
import { decoders, type MakeDecoder } from "./decoders.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/** Decodes one coding of a sequence of chunks, with backpressure. An empty sequence decodes to nothing. `onDecoder` is told of the decoder, to be destroyed. */
export async function* stage(
  chunks: AsyncIterable<Uint8Array>,
  coding: string,
  onDecoder: (decoder: Transform) => void,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let first = await iterator.next();
  while (!first.done && first.value.byteLength === 0) first = await iterator.next();
  if (first.done) return;
  const decoder = (decoders[coding] as MakeDecoder)(first.value);
  onDecoder(decoder);
  feed(decoder, first.value, iterator, coding === "zstd" ? new ZstdFrames() : undefined);
  yield* decoder as AsyncIterable<Uint8Array>;
}

/** Writes chunks to a decoder until they end, or until the decoder has all that it takes: what follows a coding is not read. */
async function feed(decoder: Transform, first: Uint8Array, rest: AsyncIterator<Uint8Array>, frames: ZstdFrames | undefined): Promise<void> {
  try {
    for (let chunk = first; await written(decoder, chunk); ) {
      frames?.take(chunk);
      const next = await rest.next();
      if (next.done) {
        if (frames?.isWhole === false) throw Object.assign(new Error("unexpected end of file"), { code: "Z_BUF_ERROR" });
        decoder.end();
        return;
      }
      chunk = next.value;
    }
  } catch (error) {
    decoder.destroy(error as Error);
  }
}

/** Resolves with `true` when the decoder takes more, with `false` when it has ended. */
function written(decoder: Transform, chunk: Uint8Array): boolean | Promise<boolean> {
  if (decoder.destroyed || decoder.readableEnded) return false;
  if (decoder.write(chunk)) return true;
  return new Promise((resolve) => {
    const settle = (takesMore: boolean) => {
      decoder.off("drain", onDrain).off("end", onEnd).off("close", onEnd);
      resolve(takesMore);
    };
    const onDrain = () => settle(true);
    const onEnd = () => settle(false);
    decoder.on("drain", onDrain).on("end", onEnd).on("close", onEnd);
  });
}
