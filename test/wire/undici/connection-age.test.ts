import { EventEmitter } from "node:events";
import { Pool } from "undici";
import { expect, it, onTestFinished } from "vitest";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";
import { tellAgeOnce } from "../../../src/wire/undici/connection-age.ts";
import { serve } from "../../support/servers.ts";

interface Connection {
  ttl?: number;
}

/** A pool as undici has it: the time of a connection is noted before anybody else hears of it. */
function pool() {
  const clock = virtualClock();
  const events = new EventEmitter();
  const noted = (...[, targets]: readonly [URL, readonly Connection[]]) => {
    for (const target of targets) target.ttl = 1_800_000_000_000;
  };
  events.on("connect", noted);
  tellAgeOnce(events, 1_000, clock);
  const origin = new URL("http://127.0.0.1");
  return {
    clock,
    connect: (connection: Connection = {}) => {
      events.emit("connect", origin, [events, connection]);
      return connection;
    },
    disconnect: (connection: Connection) => events.emit("disconnect", origin, [events, connection]),
    events: events as Connection,
  };
}

it("a connection has no age until it is too old", async () => {
  const { clock, connect, events } = pool();
  const first = connect();
  await clock.advance(400);
  const second = connect();
  await clock.advance(599);
  expect([first.ttl, second.ttl]).toEqual([0, 0]);
  await clock.advance(1);
  expect([first.ttl, second.ttl]).toEqual([1, 0]);
  await clock.advance(400);
  expect([second.ttl, clock.pending]).toEqual([1, []]);
  expect(events.ttl).toBe(1_800_000_000_000);
});

it("one that is made anew is young again, and one that has gone is forgotten with the timer, which keeps no process alive", async () => {
  const { clock, connect, disconnect } = pool();
  const again = connect();
  const gone = connect();
  expect(clock.pending).toEqual([{ inMs: 1_000, keepsProcess: false }]);
  await clock.advance(600);
  disconnect(again);
  connect(again);
  disconnect(gone);
  await clock.advance(600);
  expect([again.ttl, gone.ttl]).toEqual([0, 0]);
  await clock.advance(400);
  expect(again.ttl).toBe(1);
  disconnect(connect());
  expect(clock.pending).toEqual([]);
});

it("undici keeps the age where it is looked for", async () => {
  const server = await serve((_request, response) => void response.end("ok"));
  const real = new Pool(`http://127.0.0.1:${server.port}`, { clientTtl: 60_000 });
  onTestFinished(() => real.close());
  const seen: (readonly (number | undefined)[])[] = [];
  const look = (...[, targets]: readonly [URL, readonly object[]]) => void seen.push(targets.map((target) => (target as Connection).ttl));
  real.on("connect", look);
  tellAgeOnce(real, 60_000, virtualClock());
  real.on("connect", look);
  await (await real.request({ path: "/", method: "GET" })).body.text();
  expect(seen).toEqual([
    [expect.any(Number), expect.any(Number)],
    [expect.any(Number), 0],
  ]);
});
