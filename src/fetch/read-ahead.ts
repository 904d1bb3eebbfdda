import { isUint8Array } from "node:util/types";
import { bytesOf } from "../core/http/body-chunks.ts";
import { CallerStream } from "./caller-stream.ts";
import type { ExtractedBody } from "./request-body.ts";

/** Most bytes of a stream that are read ahead, beyond its first chunk, which is in memory already. */
const maxBytes = 2 ** 20;
/** A source in memory answers within two turns of the event loop, a file within a few milliseconds; a source that takes longer is alive. */
const patienceMs = 25;
const turnsAfter = 4;

/** The body with its stream replaced by its bytes, where these are whole: they can be sent again, and their number is known. */
export async function wholeOf(extracted: ExtractedBody): Promise<ExtractedBody> {
  const { body, length } = extracted;
  if (!(body instanceof CallerStream)) return extracted;
  const bytes = await readAhead(body);
  if (bytes !== undefined) return { ...extracted, body: bytes, length: undefined };
  // undici sends no stream of zero bytes beside other requests of its connection: it is sent in chunks, of which there are none.
  return length === 0 ? { ...extracted, length: undefined } : extracted;
}

/**
 * Reads a stream that may have been made of something whole, as the body of a `Request`, which does not tell. Resolves with its bytes where it ends
 * soon; otherwise with `undefined`, and the stream begins with its first byte again.
 */
async function readAhead(stream: CallerStream): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (chunks.length < 2 || bytes <= maxBytes) {
    const awaited = stream.next();
    // A stream that fails, or has a wrong chunk, fails where it is sent.
    const result = await soon(awaited).catch(() => undefined);
    if (result === undefined) {
      stream.putBack(chunks, awaited);
      return undefined;
    }
    if (result.done) return bytesOf(chunks);
    chunks.push(result.value as Uint8Array);
    if (!isUint8Array(result.value)) break;
    bytes += result.value.byteLength;
  }
  stream.putBack(chunks);
  return undefined;
}

/** The result of `promise`; `undefined` where it is late. Without a timer for a promise that is settled in this turn of the event loop. */
function soon<Result>(promise: Promise<Result>): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let turns = turnsAfter;
    // After the timer, which fires late in a process that is busy, there are turns in which the answer can still come in.
    const passTurn = () => {
      if (turns-- === 0) resolve(undefined);
      else immediate = setImmediate(passTurn);
    };
    let immediate = setImmediate(() => {
      timer = setTimeout(passTurn, patienceMs);
    });
    const stop = () => {
      clearImmediate(immediate);
      clearTimeout(timer);
    };
    promise.then(
      (result) => {
        stop();
        resolve(result);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}
