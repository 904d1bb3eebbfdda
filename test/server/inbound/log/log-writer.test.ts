import { expect, test } from "vitest";
import { LogWriter } from "../../../../src/server/inbound/log/log-writer.ts";
import { virtualClock } from "../../../../src/testing/virtual-clock.ts";

const sayDropped = (count: number): string => `${count} dropped\n`;

test("collects lines, writes one batch at a time, and says what did not fit", async () => {
  const clock = virtualClock();
  const written: string[] = [];
  let release = (): void => {};
  const write = (lines: string): Promise<void> => {
    written.push(lines);
    return new Promise((resolve) => (release = resolve));
  };
  const writer = new LogWriter({ write, clock, maxBuffered: 10, sayDropped });
  writer.add("one\n");
  writer.add("two\n");
  expect(written).toEqual([]);
  await clock.advance(50);
  expect(written).toEqual(["one\ntwo\n"]);
  for (const line of ["three\n", "four\n", "five\n"]) writer.add(line);
  await clock.advance(10_000);
  expect(written).toHaveLength(1);
  release();
  await clock.advance(0);
  expect(written[1]).toBe("three\n2 dropped\n");
  release();
  await clock.advance(100);
  expect(clock.pending).toEqual([]);
});

test("a write that fails is a warning, and its lines count as dropped", async () => {
  const clock = virtualClock();
  const written: string[] = [];
  let fails = true;
  const write = async (lines: string): Promise<void> => {
    if (fails) throw new Error("disk full");
    written.push(lines);
  };
  const writer = new LogWriter({ write, clock, maxBuffered: 1_000, sayDropped });
  writer.add("one\n");
  writer.add("two\n");
  await clock.advance(50);
  expect(clock.pending).toEqual([]);
  fails = false;
  writer.add("three\n");
  await clock.advance(50);
  expect(written).toEqual(["three\n2 dropped\n"]);
});

test("closing writes the rest, and waits for a second at most", async () => {
  const clock = virtualClock();
  const written: string[] = [];
  const writer = new LogWriter({ write: async (lines) => void written.push(lines), clock, maxBuffered: 1_000, sayDropped });
  writer.add("one\n");
  await writer.close();
  expect([written, clock.pending]).toEqual([["one\n"], []]);
  const stuck = new LogWriter({ write: () => new Promise(() => {}), clock, maxBuffered: 1_000, sayDropped });
  stuck.add("one\n");
  let hasClosed = false;
  const closed = stuck.close().then(() => (hasClosed = true));
  await clock.advance(999);
  expect(hasClosed).toBe(false);
  await clock.advance(1);
  await closed;
});
