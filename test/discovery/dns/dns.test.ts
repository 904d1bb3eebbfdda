import dnsModule from "node:dns";
import { afterEach, describe, expect, it } from "vitest";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { MeshError } from "../../../src/core/errors.ts";
import { type DnsOptions, dns } from "../../../src/discovery/dns/dns.ts";
import { Watcher } from "../../../src/discovery/watcher.ts";
import { endpointsIn } from "../sources.ts";
import { ManualClock } from "./dns-clock.ts";
import { type Asked, type Responder, record, type Said } from "./dns-responder.ts";
import { respond } from "./respond.ts";

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Watches with a clock that stands and no jitter. */
function watch(responder: Responder, options: DnsOptions = {}, service = "web.test") {
  const clock = new ManualClock();
  const controller = new AbortController();
  const sets: (readonly Endpoint[])[] = [];
  const certain: boolean[] = [];
  const run = async () => {
    for await (const yielded of dns({ servers: [responder.address], family: 4, clock, random: () => 1, ...options }).watch(
      service,
      controller.signal,
    )) {
      sets.push(endpointsIn(yielded));
      certain.push("certain" in yielded && yielded.certain);
    }
  };
  const done = run();
  done.catch(() => {});
  const stop = async () => {
    controller.abort();
    await done.catch(() => {});
  };
  open.push(stop);
  return { clock, sets, certain, done, stop, controller };
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

const addresses =
  (ttl: number, ...list: readonly string[]) =>
  ({ name }: Asked): Said => ({ answers: list.map((address) => record("A", name, address, ttl)) });

describe("dns", () => {
  it("says which records are not used, and why", async () => {
    const server = await respond(({ name, type }) =>
      type === "SRV"
        ? {
            answers: [
              record("SRV", name, { port: 0, target: "a.test" }),
              record("SRV", name, { port: 80, target: "-.test" }),
              record("SRV", name, { port: 81, target: "b.test" }),
            ],
          }
        : { answers: [record("A", name, "0.0.0.0"), record("A", name, "127.0.0.5")] },
    );
    const discovery = dns({ servers: [server.address], family: 4, name: "{service}" });
    const controller = new AbortController();
    const { value } = await discovery.watch("web.test", controller.signal)[Symbol.asyncIterator]().next();
    controller.abort();
    expect(value).toMatchObject({
      endpoints: [{ host: "127.0.0.5", port: 81 }],
      leftOut: [
        { reason: "an SRV record with port 0" },
        { reason: "an SRV record whose target is no host name" },
        { reason: "an address that no instance can have" },
      ],
    });
  });

  it("asks again within a second about addresses that are suddenly missing, and is certain then", async () => {
    const many = Array.from({ length: 8 }, (_, index) => `127.0.0.${index + 5}`);
    let list: readonly string[] = many;
    const server = await respond((asked) => addresses(300, ...list)(asked));
    const { sets, certain, clock } = watch(server, { port: 80 });
    expect(await clock.sleeping()).toBe(300_000);
    list = many.slice(0, 2);
    clock.advance(300_000);
    expect(await clock.sleeping()).toBe(1_000);
    clock.advance(1_000);
    expect(await clock.sleeping()).toBe(300_000);
    expect(sets.map(({ length }) => length)).toEqual([8, 2, 2]);
    expect(certain).toEqual([false, false, true]);
  });

  it("is never certain of an answer without any address, and asks for it no sooner", async () => {
    let list = ["127.0.0.5", "127.0.0.6", "127.0.0.7"];
    const server = await respond((asked) => addresses(20, ...list)(asked));
    const { certain, clock } = watch(server, { port: 80 });
    await clock.sleeping();
    list = [];
    clock.advance(20_000);
    expect(await clock.sleeping()).toBe(5_000);
    clock.advance(5_000);
    await clock.sleeping();
    expect(certain).toEqual([false, false, false]);
  });

  it("asks again at once when it is told to, and only for that service", async () => {
    const server = await respond((asked) => addresses(300, "127.0.0.5")(asked));
    const clock = new ManualClock();
    const discovery = dns({ servers: [server.address], family: 4, port: 80, clock, random: () => 1 });
    const controller = new AbortController();
    const sets = discovery.watch("web.test", controller.signal)[Symbol.asyncIterator]();
    await sets.next();
    const next = sets.next();
    await clock.sleeping();
    discovery.refresh?.("other.test");
    await nextTurn();
    expect(server.asked).toHaveLength(1);
    discovery.refresh?.("web.test");
    expect((await next).done).toBe(false);
    expect(server.asked).toHaveLength(2);
    controller.abort();
    expect((await sets.next()).done).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it("gives each address with the port, sorted, under an id of both", async () => {
    const server = await respond(({ name, type }) => ({
      answers: type === "A" ? [record("A", name, "127.0.0.6"), record("A", name, "127.0.0.5")] : [record("AAAA", name, "::1")],
    }));
    const { sets, clock } = watch(server, { port: 8080, family: 0 });
    await clock.sleeping();
    expect(sets).toEqual([
      [
        { id: "127.0.0.5:8080", host: "127.0.0.5", port: 8080 },
        { id: "127.0.0.6:8080", host: "127.0.0.6", port: 8080 },
        { id: "[::1]:8080", host: "::1", port: 8080 },
      ],
    ]);
    expect(server.asked.map(({ type }) => type).sort()).toEqual(["A", "AAAA"]);
  });

  it("gives SRV records with priority, weight 0 too, target and TLS", async () => {
    const server = await respond(({ name, type }) =>
      type === "SRV"
        ? {
            answers: [record("SRV", name, { priority: 10, weight: 0, port: 8443, target: "a.test" })],
            additionals: [record("A", "a.test", "127.0.0.5")],
          }
        : { rcode: 2 },
    );
    const { sets, clock } = watch(server, { secure: true, name: "_{service}._tcp.test" }, "web");
    await clock.sleeping();
    expect(sets).toEqual([
      [{ id: "127.0.0.5:8443", host: "127.0.0.5", port: 8443, priority: 10, weight: 0, secure: true, metadata: { target: "a.test" } }],
    ]);
    expect(server.asked.map(({ name }) => name)).toEqual(["_web._tcp.test"]);
  });

  it.each([
    [4, ["A"]],
    [6, ["AAAA"]],
    [0, ["A", "AAAA"]],
  ] as const)("asks for the types of family %s only", async (family, types) => {
    const server = await respond(() => ({}));
    const { clock } = watch(server, { port: 80, family });
    await clock.sleeping();
    expect(server.asked.map(({ type }) => type).sort()).toEqual(types);
  });

  it.each([
    ["the service itself, without search domains", {}, "web", "web"],
    ["a template", { name: "{service}.service.consul" }, "web", "web.service.consul"],
    ["a template with the root's dot", { name: "{service}.service.consul." }, "web", "web.service.consul"],
    ["a function", { name: (service: string) => `${service.toLowerCase()}.example` }, "Web", "web.example"],
    ["a template and a service with a replacement pattern in it", { name: "{service}.test" }, "__proto__", "__proto__.test"],
  ])("asks for the name by %s", async (_what, options, service, name) => {
    const server = await respond(() => ({}));
    const { clock } = watch(server, { port: 80, ...options }, service);
    await clock.sleeping();
    expect(server.asked.map((asked) => asked.name)).toEqual([name]);
  });

  it("asks again when the smallest TTL has run out, not sooner, and yields the same array until something changes", async () => {
    const server = await respond(addresses(30, "127.0.0.5"));
    const { clock, sets } = watch(server, { port: 80 });
    expect(await clock.sleeping()).toBe(30_000);
    clock.advance(29_999);
    expect(server.asked).toHaveLength(1);
    clock.advance(1);
    await server.untilAsked(2);
    expect(await clock.sleeping()).toBe(30_000);
    expect(sets).toHaveLength(2);
    expect(sets[1]).toBe(sets[0]);
    server.script = ({ name }) => ({ answers: [record("A", name, "127.0.0.6", 90), record("A", name, "127.0.0.5", 20)] });
    clock.advance(30_000);
    await server.untilAsked(3);
    expect(await clock.sleeping()).toBe(20_000);
    expect(sets).toHaveLength(3);
    expect(sets[2]?.map(({ host }) => host)).toEqual(["127.0.0.5", "127.0.0.6"]);
    server.script = addresses(20, "127.0.0.6", "127.0.0.5");
    clock.advance(20_000);
    await server.untilAsked(4);
    await clock.sleeping();
    expect(sets).toHaveLength(4);
    expect(sets[3]).toBe(sets[2]);
  });

  it.each([
    [0, 1_000],
    [1, 1_000],
    [2 ** 31, 300_000],
    [2 ** 32 - 1, 300_000],
  ])("turns TTL %d into a pause of %d ms", async (ttl, pause) => {
    const { clock } = watch(await respond(addresses(ttl, "127.0.0.5")), { port: 80 });
    expect(await clock.sleeping()).toBe(pause);
  });

  it("takes its own bounds for the pause, and its jitter", async () => {
    const server = await respond(addresses(60, "127.0.0.5"));
    expect(await watch(server, { port: 80, minTtlMs: 70_000 }).clock.sleeping()).toBe(70_000);
    expect(await watch(server, { port: 80, maxTtlMs: 10_000 }).clock.sleeping()).toBe(10_000);
    expect(await watch(server, { port: 80, random: () => 0 }).clock.sleeping()).toBe(54_000);
  });

  it("counts the time its reader takes for a set as part of the pause", async () => {
    const server = await respond(addresses(30, "127.0.0.5"));
    const clock = new ManualClock();
    const controller = new AbortController();
    open.push(() => controller.abort());
    const iterator = dns({ servers: [server.address], family: 4, clock, random: () => 1, port: 80 })
      .watch("web", controller.signal)
      [Symbol.asyncIterator]();
    await iterator.next();
    clock.advance(10_000);
    const next = iterator.next();
    expect(await clock.sleeping()).toBe(20_000);
    controller.abort();
    expect((await next).done).toBe(true);
  });

  it("keeps the addresses of a family that fails beside one that answers", async () => {
    const server = await respond(({ name, type }) => ({
      answers: [type === "A" ? record("A", name, "127.0.0.5", 30) : record("AAAA", name, "::1", 30)],
    }));
    const { clock, sets } = watch(server, { port: 80, family: 0, maxAttempts: 1 });
    await clock.sleeping();
    server.script = (asked) => (asked.type === "A" ? addresses(30, "127.0.0.5")(asked) : { rcode: 2 });
    for (const asked of [4, 6]) {
      clock.advance(30_000);
      await server.untilAsked(asked);
      await clock.sleeping();
    }
    expect(sets[0]?.map(({ host }) => host)).toEqual(["127.0.0.5", "::1"]);
    expect(sets.map((set) => set === sets[0])).toEqual([true, true, true]);
  });

  it("says an empty set again every 5 seconds at most, so that it can be confirmed, and sees the end of it", async () => {
    const server = await respond(({ name }) => ({ rcode: name === "web.test" ? 3 : 0 }));
    const { clock, sets, certain } = watch(server, { port: 80 });
    expect(await clock.sleeping()).toBe(5_000);
    clock.advance(5_000);
    await server.untilAsked(2);
    await clock.sleeping();
    expect(sets).toEqual([[], []]);
    expect(certain).toEqual([false, false]);
    server.script = addresses(30, "127.0.0.5");
    clock.advance(5_000);
    await server.untilAsked(3);
    await clock.sleeping();
    expect(sets.at(-1)).toHaveLength(1);
  });

  it("is empty for the SRV target '.' and not for an SRV query that fails", async () => {
    const server = await respond(({ name }) => ({ answers: [record("SRV", name, { priority: 0, weight: 0, port: 0, target: "." }, 30)] }));
    const { clock, sets, certain, done } = watch(server);
    expect(await clock.sleeping()).toBe(30_000);
    expect(sets).toEqual([[]]);
    expect(certain).toEqual([true]);
    server.script = () => ({ rcode: 2 });
    clock.advance(30_000);
    await expect(done).rejects.toThrow("answered SERVFAIL");
    expect(sets).toEqual([[]]);
  });

  it.each([
    ["does not let a name that exists only in every second answer flap", 8, (nth: number) => nth % 2 === 0, 1],
    ["lets go of a name once it was absent for half a minute", 8, (nth: number) => nth > 0, 0],
  ])("%s, under the watcher", async (_what, rounds, isAbsent, left) => {
    let nth = 0;
    const server = await respond((asked) => (nth > 0 && isAbsent(nth) ? { rcode: 3 } : addresses(5, "127.0.0.5")(asked)));
    const clock = new ManualClock();
    const updates: number[] = [];
    const watcher = new Watcher({
      discovery: dns({ servers: [server.address], family: 4, port: 80, clock, random: () => 1 }),
      service: "web.test",
      clock,
      random: () => 1,
      onUpdate: ({ endpoints }) => updates.push(endpoints.length),
      onError: (error) => expect.fail(String(error)),
    });
    open.push(() => watcher.stop());
    watcher.start();
    for (; nth < rounds; nth++) {
      await server.untilAsked(nth + 1);
      // Until the answer is in and everything that follows from it has happened.
      while (clock.foregroundTimers > 0) await nextTurn();
      clock.advance(5_000);
    }
    expect(updates[0]).toBe(1);
    expect(updates.slice(0, 6)).not.toContain(0);
    expect(updates.at(-1)).toBe(left);
  });

  it("throws a MeshError that names server, name, type and response code", async () => {
    const server = await respond(() => ({ rcode: 5 }));
    const { done } = watch(server, { port: 80, name: "{service}.example" }, "web");
    const error = await done.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(MeshError);
    expect(error).toMatchObject({
      code: "ERR_MESH_DISCOVERY",
      service: "web",
      maybeExecuted: false,
      message: `dns: no answer for web.example A (${server.address} answered REFUSED)`,
    });
  });

  it("throws without a query when the service makes no DNS name", async () => {
    const server = await respond(() => ({}));
    for (const [service, name] of [
      ["a..b", "{service}"],
      ["10.0.0.1", "{service}"],
      ["x", () => "*.test"],
      ["x", () => 1 as never],
    ] as const) {
      await expect(watch(server, { port: 80, name }, service).done).rejects.toMatchObject({ code: "ERR_MESH_DISCOVERY", service });
    }
    expect(server.asked).toHaveLength(0);
  });

  it("ends without an error and without a timer when it is aborted in a query or a pause", async () => {
    const silent = await respond(() => undefined);
    const inQuery = watch(silent, { port: 80 });
    await silent.untilAsked(1);
    await inQuery.stop();
    await inQuery.done;
    expect(inQuery.clock.timers).toBe(0);
    const inPause = watch(await respond(addresses(30, "127.0.0.5")), { port: 80 });
    await inPause.clock.sleeping();
    await inPause.stop();
    await inPause.done;
    expect(inPause.clock.timers).toBe(0);
  });

  it("asks the system's servers when it is given none, as they are at that moment", async () => {
    const server = await respond(addresses(30, "127.0.0.5"));
    const before = dnsModule.getServers();
    open.push(() => dnsModule.setServers(before));
    const discovery = dns({ port: 80, family: 4 });
    dnsModule.setServers([server.address]);
    const controller = new AbortController();
    open.push(() => controller.abort());
    const first = await discovery.watch("web.test", controller.signal)[Symbol.asyncIterator]().next();
    expect(endpointsIn(first.value)).toMatchObject([{ host: "127.0.0.5" }]);
  });

  it("says where it looks, and what an empty set means when it is told", () => {
    expect(dns().name).toBe("dns");
    expect(dns({ servers: ["127.0.0.1:8600", "[::1]:53"] }).name).toBe("dns at 127.0.0.1:8600, [::1]:53");
    expect(dns().emptyPolicy).toBeUndefined();
    expect(dns({ emptyPolicy: "trust" }).emptyPolicy).toBe("trust");
  });

  it.each([
    [{ type: "MX" }, TypeError, 'dns: type must be one of "A", "SRV", not "MX"'],
    [{ type: "A" }, TypeError, 'dns: type "A" needs a port'],
    [{ type: "SRV", port: 80 }, TypeError, "but port is 80"],
    [{ port: 0 }, RangeError, "dns: port must be from 1 to 65535, not 0"],
    [{ port: 80.5 }, RangeError, "dns: port must be a whole number, not 80.5"],
    [{ port: "80" }, TypeError, 'dns: port must be a number, not "80"'],
    [{ family: 5 }, TypeError, "dns: family must be one of 0, 4, 6, not 5"],
    [{ name: "{servcie}.test" }, TypeError, 'not "{servcie}.test"'],
    [{ name: "" }, TypeError, 'not ""'],
    [{ name: 5 }, TypeError, "dns: name must be a string or a function, not 5"],
    [{ servers: [] }, TypeError, "dns: servers must be an array of at least one address, not []"],
    [{ servers: "127.0.0.1" }, TypeError, 'not "127.0.0.1"'],
    [{ servers: ["ns.test:53"] }, TypeError, 'dns: servers[0] must be an IP address, with or without a port, not "ns.test:53"'],
    [{ minTtlMs: 0 }, RangeError, "dns: minTtlMs must be from 1 to 2147483647, not 0"],
    [{ maxTtlMs: Number.NaN }, TypeError, "dns: maxTtlMs must be a number, not NaN"],
    [{ minTtlMs: 5_000, maxTtlMs: 4_000 }, RangeError, "dns: minTtlMs (5000) is more than maxTtlMs (4000)"],
    [{ timeoutMs: -1 }, RangeError, "dns: timeoutMs must be from 1"],
    [{ maxAttempts: 1.5 }, RangeError, "dns: maxAttempts must be a whole number, not 1.5"],
    [{ secure: "yes" }, TypeError, 'dns: secure must be true or false, not "yes"'],
    [{ emptyPolicy: "maybe" }, TypeError, 'dns: emptyPolicy must be one of "quarantine", "trust", not "maybe"'],
    [{ server: ["127.0.0.1"] }, TypeError, 'dns has no option "server"; it has type, name, port'],
  ])("refuses %j when it is made", (options, kind, message) => {
    expect(() => dns(options as DnsOptions)).toThrow(kind);
    expect(() => dns(options as DnsOptions)).toThrow(message);
  });
});
