import { expect, it } from "vitest";
import { Liveness } from "../../../src/wire/http2/liveness.ts";
import { clock, inVirtualTime } from "../../support/virtual-time.ts";

inVirtualTime();

function watched(canPing = true) {
  const events: string[] = [];
  let bytesRead = 100;
  let answer: (error: Error | null) => void = () => {};
  const liveness = new Liveness({
    clock,
    bytesRead: () => bytesRead,
    ping: (onAnswer) => {
      events.push("ping");
      answer = onAnswer;
      return canPing;
    },
    onChange: () => events.push(liveness.isAsking ? "doubted" : "trusted"),
    onDead: () => events.push("dead"),
    onLost: () => events.push("lost"),
  });
  return {
    liveness,
    events,
    answer: (error: Error | null = null) => answer(error),
    read: () => {
      bytesRead++;
    },
  };
}

it("a connection without an answer to PING for a second is dead, and lost twenty seconds later", async () => {
  const { liveness, events } = watched();
  liveness.doubt(300);
  expect([events, liveness.isAsking]).toEqual([["ping", "doubted"], true]);
  await clock.advance(999);
  expect(events).toHaveLength(2);
  await clock.advance(1);
  expect([events.slice(2), liveness.isAsking, liveness.isDead]).toEqual([["dead"], false, true]);
  await clock.advance(20_000);
  expect(events.slice(3)).toEqual(["lost"]);
  liveness.doubt(300);
  expect(events).toHaveLength(4);
});

it("an answer, or any other byte, ends the doubt", async () => {
  const { liveness, events, answer, read } = watched();
  liveness.doubt(300);
  answer();
  expect(events).toEqual(["ping", "doubted", "trusted"]);
  liveness.doubt(300);
  read();
  await clock.advance(1_000);
  expect(events.slice(3)).toEqual(["ping", "doubted", "trusted"]);
  expect(liveness.isDead).toBe(false);
});

it("what comes after all keeps what is under way", async () => {
  const { liveness, events, read } = watched();
  liveness.doubt(300);
  await clock.advance(1_000);
  read();
  await clock.advance(20_000);
  expect(events).toEqual(["ping", "doubted", "dead"]);
});

it("one PING is asked at a time, and none after a short silence", async () => {
  const { liveness, events, answer } = watched();
  liveness.doubt(49);
  expect(events).toEqual([]);
  liveness.doubt(50);
  liveness.doubt(300);
  expect(events).toEqual(["ping", "doubted"]);
  // The session has closed: its own end is told elsewhere.
  answer(new Error("closed"));
  liveness.stop();
});

it("a connection that takes no PING any more is dead at once", async () => {
  const { liveness, events } = watched(false);
  liveness.doubt(300);
  await clock.advance(0);
  expect(events).toEqual(["ping", "doubted", "dead"]);
  liveness.stop();
});
