import type { ResponseBody } from "../core/http/body.ts";
import { forwardTo } from "../core/http/forward-body.ts";
import { type Frame, FrameFault, FrameReader } from "../rpc/frames.ts";

/** The content that was read of a body, up to its end or its fault. */
export interface ReadWhole<Content> {
  readonly content: Content;
  readonly fault: FrameFault | undefined;
}

/** Reads a body of frames whole. A fault ends it; rejects where the body fails. */
export function readFrames(body: ResponseBody, maxBytes: number, maxFrames: number): Promise<ReadWhole<readonly Frame[]>> {
  const frames: Frame[] = [];
  const reader = new FrameReader(maxBytes);
  const take = (chunk: Uint8Array): void => {
    for (const frame of reader.push(chunk)) {
      if (frames.length >= maxFrames) throw new FrameFault("form", `the answer has more than ${maxFrames} frames`);
      frames.push(frame);
    }
  };
  return readWhole(body, frames, take, () => reader.end());
}

/** Reads a body of bytes whole, up to a limit. */
export function readBytes(body: ResponseBody, maxBytes: number): Promise<ReadWhole<readonly Uint8Array[]>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const take = (chunk: Uint8Array): void => {
    size += chunk.byteLength;
    if (size > maxBytes) throw new FrameFault("size", `a message is larger than the limit of ${maxBytes} bytes`);
    chunks.push(chunk);
  };
  return readWhole(body, chunks, take, () => {});
}

function readWhole<Content>(
  body: ResponseBody,
  content: Content,
  take: (chunk: Uint8Array) => void,
  end: () => void,
): Promise<ReadWhole<Content>> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const settle = (fault: FrameFault | undefined): void => {
      isOver = true;
      resolve({ content, fault });
    };
    const guarded = (run: () => void): void => {
      try {
        run();
      } catch (thrown) {
        settle(thrown as FrameFault);
        body.cancel();
      }
    };
    forwardTo(body, {
      isWaiting: true,
      take(chunk) {
        if (!isOver) guarded(() => take(chunk));
        return true;
      },
      end(error) {
        if (isOver) return;
        if (error !== undefined) return reject(error);
        guarded(end);
        if (!isOver) settle(undefined);
      },
    });
  });
}
