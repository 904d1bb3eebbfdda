import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameEnds } from "../../src/gateway/frame-ends.ts";
import { relay } from "../../src/gateway/relayed-socket.ts";
import { closeWebSocket, goingAway, UpgradedSocket } from "../../src/server/connections/upgraded-socket.ts";

/** A frame with so many bytes of content. */
function frame(length: number, isMasked = false): Buffer {
  const bit = isMasked ? 0x80 : 0;
  const head =
    length < 126
      ? [0x82, bit | length]
      : length < 65_536
        ? [0x82, bit | 126, length >> 8, length & 255]
        : [0x82, bit | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(isMasked ? 4 : 0), Buffer.alloc(length, 0x88)]);
}

const frames = fc.array(fc.tuple(fc.constantFrom(0, 1, 5, 125, 126, 300, 65_536), fc.boolean()), { minLength: 1, maxLength: 4 });

test("the ends of frames are found in whatever parts the bytes come", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat({ max: 400 }), { maxLength: 20 }), (given, cuts) => {
      const each = given.map(([length, isMasked]) => frame(length, isMasked));
      const all = Buffer.concat(each);
      const ends = new Set(each.map((_, index) => Buffer.concat(each.slice(0, index + 1)).byteLength));
      const found = new FrameEnds();
      let at = 0;
      for (const cut of [...cuts, all.byteLength]) {
        const part = all.subarray(at, at + cut);
        const wasBetween = found.isBetween;
        const rest = found.pass(part);
        const end = [...ends].find((offset) => offset > at && offset <= at + part.byteLength);
        expect(rest).toBe(wasBetween ? 0 : end === undefined ? part.byteLength : end - at);
        at += part.byteLength;
        expect(found.isBetween).toBe(at === 0 || ends.has(at));
      }
    }),
  );
});

/** A relay whose server leaves: what its client has got, in one. */
function relayed() {
  const [instance, client] = [new PassThrough(), new PassThrough()];
  const got: Buffer[] = [];
  client.on("data", (chunk: Buffer) => got.push(chunk));
  const upgraded = new UpgradedSocket({ headers: { upgrade: "websocket" } } as never, Object.assign(client, { bytesWritten: 0 }) as never);
  relay(instance, client);
  Object.assign(client, { bytesWritten: 1 });
  return { instance, got: () => Buffer.concat(got), leave: () => closeWebSocket(upgraded) };
}

describe("a WebSocket through a gateway that leaves", () => {
  test("is closed at once between two frames, and gets no frame after that", async () => {
    const { instance, got, leave } = relayed();
    instance.write(frame(5));
    await setImmediate();
    leave();
    leave();
    instance.write(frame(6));
    await setImmediate();
    expect(got()).toEqual(Buffer.concat([frame(5), goingAway]));
  });

  test("is closed behind the frame that is under way", async () => {
    const { instance, got, leave } = relayed();
    const [long, next] = [frame(300), frame(7)];
    instance.write(long.subarray(0, 100));
    await setImmediate();
    leave();
    await setImmediate();
    expect(got()).toEqual(long.subarray(0, 100));
    instance.write(long.subarray(100, 200));
    instance.write(Buffer.concat([long.subarray(200), next]));
    instance.write(next);
    await setImmediate();
    expect(got()).toEqual(Buffer.concat([long, goingAway]));
  });

  test("is closed where the last bytes of the frame come alone", async () => {
    const { instance, got, leave } = relayed();
    instance.write(frame(20).subarray(0, 1));
    await setImmediate();
    leave();
    instance.write(frame(20).subarray(1));
    await setImmediate();
    expect(got()).toEqual(Buffer.concat([frame(20), goingAway]));
  });
});
