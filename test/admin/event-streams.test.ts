import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventStreams } from "../../src/admin/event-streams.ts";

class ScriptedResponse extends EventEmitter {
  readonly written: string[] = [];
  readonly socket = { setNoDelay() {} };
  isReading = true;
  destroyed = false;

  get writableLength(): number {
    return this.isReading ? 0 : this.written.reduce((sum, text) => sum + text.length, 0);
  }

  writeHead(): void {}

  write(text: string): void {
    this.written.push(text);
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

const open = (streams: EventStreams): ScriptedResponse => {
  const response = new ScriptedResponse();
  expect(streams.open(response as unknown as ServerResponse)).toBe(true);
  return response;
};

describe("streams of events", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("make each event once for all, and none while nobody listens", () => {
    let made = 0;
    const streams = new EventStreams(() => ({ made: ++made }));
    vi.advanceTimersByTime(5_000);
    expect(made).toBe(0);
    const [one, other] = [open(streams), open(streams)];
    expect(made).toBe(2);
    vi.advanceTimersByTime(3_000);
    expect(made).toBe(5);
    expect(one.written.at(-1)).toBe('event: mesh\nid: 5\ndata: {"made":5}\n\n');
    expect(other.written.at(-1)).toBe(one.written.at(-1));
    one.destroy();
    other.destroy();
    vi.advanceTimersByTime(5_000);
    expect(made).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("drop who does not read, and nobody else", () => {
    const streams = new EventStreams(() => "x".repeat(100_000));
    const [reading, deaf] = [open(streams), open(streams)];
    deaf.isReading = false;
    vi.advanceTimersByTime(30_000);
    expect(deaf.destroyed).toBe(true);
    expect(deaf.written.join("").length).toBeLessThan(1_300_000);
    expect(reading.destroyed).toBe(false);
    expect(reading.written).toHaveLength(31);
    expect(streams.size).toBe(1);
    streams.close();
  });

  it("are so many and no more", () => {
    const streams = new EventStreams(() => 1);
    const opened = Array.from({ length: 32 }, () => open(streams));
    expect(streams.open(new ScriptedResponse() as unknown as ServerResponse)).toBe(false);
    opened[0]?.destroy();
    open(streams);
    streams.close();
    expect(opened[1]?.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
