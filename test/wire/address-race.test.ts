import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { type HostAddress, type Opened, raceAddresses } from "../../src/wire/address-race.ts";

/** A socket whose events are emitted by hand. */
class ScriptedSocket extends EventEmitter {
  readonly host: string;
  destroyed = false;
  isUnref = false;

  constructor(host: string) {
    super();
    this.host = host;
  }

  unref(): void {
    this.isUnref = true;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

const sockets: ScriptedSocket[] = [];

vi.mock("node:net", async (original) => ({
  ...(await original<typeof import("node:net")>()),
  connect: ({ host }: { host: string }) => {
    const socket = new ScriptedSocket(host);
    sockets.push(socket);
    return socket;
  },
}));

beforeEach(() => void sockets.splice(0));

const addressesOf = (...all: readonly string[]): readonly HostAddress[] =>
  all.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

function race(addresses: readonly HostAddress[], limitMs = 1_000, isUnref = false) {
  const clock = virtualClock();
  const results: unknown[] = [];
  const opened: Opened = (error, socket) => void results.push(error ?? (socket as unknown as ScriptedSocket).host);
  const giveUp = raceAddresses({ addresses, socket: { port: 1 }, limitMs, clock, isUnref }, opened);
  return { clock, results, giveUp, tried: () => sockets.map(({ host }) => host) };
}

const refused = (address: string) => Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: "ECONNREFUSED" });

describe("a race of addresses", () => {
  it("lets go of the connection that it has opened: what listens to its errors is one function for all", () => {
    const listeners = ["a", "b"].map((address) => {
      sockets.splice(0);
      race(addressesOf(address));
      sockets[0]?.emit("connect");
      return sockets[0]?.listeners("error");
    });
    expect(listeners[0]).toHaveLength(1);
    expect(listeners[1]).toEqual(listeners[0]);
  });

  it("tries the next address beside the former after a quarter of a second, and ends with the first that answers", async () => {
    const { clock, results, tried } = race(addressesOf("a", "b"));
    await clock.advance(249);
    expect(tried()).toEqual(["a"]);
    await clock.advance(1);
    expect(tried()).toEqual(["a", "b"]);
    expect(sockets[0]?.destroyed).toBe(false);
    sockets[0]?.emit("connect");
    expect(results).toEqual(["a"]);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, true]);
    expect(clock.pending).toEqual([]);
  });

  it.each([
    [300, 2, 100],
    [300, 3, 75],
    [1_000, 9, 100],
    [10, 100, 10],
  ])("fits into a limit of %i ms with %i addresses: %i ms between them", async (limitMs, count, stepMs) => {
    const { clock, tried } = race(addressesOf(...Array.from({ length: count }, (_, index) => `a${index}`)), limitMs);
    await clock.advance(stepMs - 1);
    expect(tried()).toHaveLength(1);
    await clock.advance(1);
    expect(tried()).toHaveLength(2);
  });

  it("takes the families in turn, beginning with that of the first", async () => {
    const { clock, tried } = race(addressesOf("::1", "::2", "::3", "1.1.1.1"));
    await clock.advance(1_000);
    expect(tried()).toEqual(["::1", "1.1.1.1", "::2", "::3"]);
  });

  it("goes on at once when an attempt fails", () => {
    const { results, tried, clock } = race(addressesOf("a", "b", "c"));
    sockets[0]?.emit("error", refused("a"));
    sockets[1]?.emit("error", refused("b"));
    expect(tried()).toEqual(["a", "b", "c"]);
    sockets[2]?.emit("connect");
    expect(results).toEqual(["c"]);
    expect(clock.pending).toEqual([]);
  });

  it("fails with the only error, or with one for all that has the first code", async () => {
    const alone = race(addressesOf("a"));
    sockets[0]?.emit("error", refused("a"));
    expect(alone.results).toMatchObject([{ message: "connect ECONNREFUSED a", code: "ECONNREFUSED" }]);
    sockets.splice(0);
    const several = race(addressesOf("a", "b"));
    sockets[0]?.emit("error", refused("a"));
    sockets[1]?.emit("error", Object.assign(new Error("unreachable"), { code: "EHOSTUNREACH" }));
    expect(several.results).toMatchObject([{ code: "ECONNREFUSED", message: "connect ECONNREFUSED a, unreachable" }]);
  });

  it("says that this process has run out of something, whatever became of the other addresses", () => {
    const { results } = race(addressesOf("a", "b"));
    sockets[0]?.emit("error", refused("a"));
    sockets[1]?.emit("error", Object.assign(new Error("too many"), { code: "EMFILE" }));
    expect(results).toMatchObject([{ code: "EMFILE" }]);
  });

  it("that is given up ends all attempts, and says so once", async () => {
    const { clock, results, giveUp } = race(addressesOf("a", "b", "c"));
    await clock.advance(250);
    const reason = new Error("too late");
    giveUp(reason);
    giveUp(new Error("again"));
    sockets[0]?.emit("error", refused("a"));
    sockets[1]?.emit("connect");
    expect(results).toEqual([reason]);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true]);
    expect(clock.pending).toEqual([]);
  });

  it("keeps the process alive for requests only", () => {
    race(addressesOf("a"), 1_000, true);
    race(addressesOf("b"), 1_000, false);
    expect((sockets as unknown as (ScriptedSocket & Socket)[]).map(({ isUnref }) => isUnref)).toEqual([true, false]);
  });
});
