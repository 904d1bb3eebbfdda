import { describe, expect, it } from "vitest";
import { SendProgress } from "../../src/core/send-progress.ts";

describe("the progress of a request body", () => {
  it("begins with the first part, and ends with the last", () => {
    const progress = new SendProgress();
    expect([progress.at, progress.isOut, progress.arrivedAt]).toEqual([undefined, false, undefined]);
    progress.advance(100, 10);
    expect([progress.at, progress.isOut, progress.arrivedAt]).toEqual([10, false, 10]);
    progress.end(10);
    expect([progress.at, progress.isOut, progress.arrivedAt]).toEqual([10, true, 10]);
  });

  it("leaves the instance as long for what the sockets hold as the parts before have taken", () => {
    const progress = new SendProgress();
    progress.advance(2 ** 20, 0);
    progress.advance(2 ** 20, 500);
    progress.end(500);
    expect(progress.arrivedAt).toBe(1_000);
    const large = new SendProgress();
    large.advance(2 ** 20, 0);
    large.advance(31 * 2 ** 20, 8_000);
    large.end(8_000);
    expect(large.arrivedAt, "eight of thirty-two MiB may be held").toBe(10_000);
  });

  it("takes the time of the caller's own source for no time of the instance", () => {
    const progress = new SendProgress();
    progress.source(true, 0);
    expect(progress.awaitsSource).toBe(true);
    progress.source(false, 50);
    progress.advance(10, 50);
    progress.source(true, 50);
    progress.source(false, 950);
    progress.advance(10, 950);
    progress.end(950);
    expect([progress.awaitsSource, progress.arrivedAt]).toEqual([false, 950]);
  });

  it("of an empty body is its end", () => {
    const progress = new SendProgress();
    progress.end(7);
    expect([progress.at, progress.arrivedAt]).toEqual([7, 7]);
  });
});
