import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import type { EndpointsUpdate } from "../../../src/core/observing/events.ts";
import { fallback } from "../../../src/discovery/combined/fallback.ts";
import { union } from "../../../src/discovery/combined/union.ts";
import type { Discovery, DiscoveryAnswer } from "../../../src/discovery/discovery.ts";
import { Watcher } from "../../../src/discovery/watcher.ts";
import { discoveryContract, memoryRegistry } from "../../../src/testing/index.ts";
import { ScriptedDiscovery } from "../scripted-discovery.ts";
import { endpointsIn, polled, silent } from "../sources.ts";

describe("union of two registries that share the instances", () => {
  const contract = discoveryContract(
    async () => {
      const registries = [memoryRegistry(), memoryRegistry()] as const;
      return {
        discovery: union(...registries),
        service: "orders",
        otherService: "users",
        async set(endpoints, service = "orders") {
          for (const [index, registry] of registries.entries()) {
            const share = endpoints.filter((_, place) => place % 2 === index);
            registry.set(service, share);
          }
        },
        async breakSource() {
          for (const registry of registries) registry.fail();
        },
        async healSource() {
          for (const registry of registries) registry.heal();
        },
        close: async () => expect(registries.map(({ watches }) => watches)).toEqual([0, 0]),
      };
    },
    { lacks: ["confirmations"] },
  );
  for (const test of contract) it(test.name, test.run);
});

describe("union", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] }));
  afterEach(() => void vi.useRealTimers());

  it("lists the instances of all sources, in the first set already", async () => {
    const { a, b } = twoRegistries();
    const { ids } = follow(union(a, b));
    await settle();
    expect(ids).toEqual([["a1", "b1"]]);
    b.add("orders", { id: "b2", host: "10.0.1.2", port: 80 });
    await settle();
    expect(ids.at(-1)).toEqual(["a1", "b1", "b2"]);
  });

  it("keeps what a failing source said last, and the others", async () => {
    const { a, b } = twoRegistries();
    const errors: string[] = [];
    const { ids } = follow(
      union([a, b], { onError: (error, service, source) => errors.push(`${source.name} ${service}: ${(error as Error).message}`) }),
    );
    await settle();
    a.fail(new Error("no leader"));
    await settle();
    b.add("orders", { id: "b2", host: "10.0.1.2", port: 80 });
    await settle();
    expect(ids.at(-1)).toEqual(["a1", "b1", "b2"]);
    expect(errors[0]).toBe("memory registry orders: no leader");
  });

  it("begins without a source that fails, and takes it in once it answers", async () => {
    const { a, b } = twoRegistries();
    a.fail();
    const { ids } = follow(union(a, b));
    await settle();
    expect(ids).toEqual([["b1"]]);
    a.heal();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(ids.at(-1)).toEqual(["a1", "b1"]);
  });

  it("waits waitMs for a silent source, then begins without it", async () => {
    const { a } = twoRegistries();
    const { ids } = follow(union([silent, a], { waitMs: 300 }));
    await vi.advanceTimersByTimeAsync(299);
    expect(ids).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ids).toEqual([["a1"]]);
  });

  it("yields the first answer at once when it comes after waitMs", async () => {
    const slow: Discovery = {
      async *watch() {
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        yield [{ id: "slow", host: "10.0.0.9", port: 80 }];
      },
    };
    const { ids } = follow(union(silent, slow));
    await vi.advanceTimersByTimeAsync(1_999);
    expect(ids).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ids).toEqual([["slow"]]);
  });

  it("throws when all fail before any has answered, with all reasons", async () => {
    const { a, b } = twoRegistries();
    a.fail(new Error("no leader"));
    b.fail(new Error("no route"));
    const error = await follow(union(a, b)).ended.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ERR_MESH_DISCOVERY", service: "orders" });
    expect(String(error)).toMatch(/no leader.*no route/);
    expect(a.watches + b.watches).toBe(0);
  });

  it("does not throw when all fail after one has answered", async () => {
    const { a, b } = twoRegistries();
    const { ids, stop, ended } = follow(union(a, b));
    await settle();
    a.fail();
    b.fail();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ids).toEqual([["a1", "b1"]]);
    stop();
    await ended;
  });

  it("lists an instance once that two sources have at one address, as the first has it", async () => {
    const { a, b } = twoRegistries();
    b.add("orders", { id: "a1-in-b", host: "10.0.0.1", port: 80, weight: 9 });
    const { ids, sets } = follow(union(a, b));
    await settle();
    expect(ids).toEqual([["a1", "b1"]]);
    a.remove("orders", "a1");
    await settle();
    expect(ids.at(-1)).toEqual(["b1", "a1-in-b"]);
    expect(sets.at(-1)?.[1]?.weight).toBe(9);
  });

  it("keeps two instances of one source at one address", async () => {
    const { a, b } = twoRegistries();
    a.add("orders", { id: "a2", host: "10.0.0.1", port: 80 });
    const { ids } = follow(union(a, b));
    await settle();
    expect(ids).toEqual([["a1", "a2", "b1"]]);
  });

  it("makes the id of another instance unique with the place of its source", async () => {
    const [a, b, c] = [memoryRegistry(), memoryRegistry(), memoryRegistry()];
    a.set("orders", [
      { id: "x", host: "10.0.0.1", port: 80 },
      { id: "2/x", host: "10.0.0.2", port: 80 },
    ]);
    b.set("orders", [{ id: "x", host: "10.0.1.1", port: 80 }]);
    c.set("orders", [{ id: "x", host: "10.0.2.1", port: 80 }]);
    const { ids } = follow(union(a, b, c));
    await settle();
    expect(ids).toEqual([["x", "2/x", "2/2/x", "3/x"]]);
  });

  it("does not lose a source's instances at once when it is suddenly empty and not trusted", async () => {
    const { a, b } = twoRegistries();
    const doubted: Discovery = { watch: (service, signal) => a.watch(service, signal) };
    const { ids } = follow(union(doubted, b));
    await settle();
    a.set("orders", []);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(ids.at(-1)).toEqual(["a1", "b1"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ids.at(-1)).toEqual(["b1"]);
  });

  it("passes on what is no endpoint, so that the mesh can report it", async () => {
    const { a } = twoRegistries();
    const wrong: Discovery = {
      async *watch() {
        yield [null, { id: "b", host: "10.0.0.1", port: 0 }] as unknown as Endpoint[];
      },
    };
    const { sets } = follow(union(a, wrong));
    await settle();
    expect(sets).toEqual([[{ id: "a1", host: "10.0.0.1", port: 80 }, null, { id: "b", host: "10.0.0.1", port: 0 }]]);
  });

  it("is certain when every source is certain of its part, however often that is confirmed since", async () => {
    const [one, two] = [new ScriptedDiscovery(), new ScriptedDiscovery()];
    const answers: DiscoveryAnswer[] = [];
    const controller = new AbortController();
    const reading = (async () => {
      for await (const answer of union(one, two).watch("orders", controller.signal)) answers.push(answer as DiscoveryAnswer);
    })();
    await settle();
    const [a, b] = ["a", "b"].map((id, place) => ({ id, host: `10.0.0.${place}`, port: 80 })) as [Endpoint, Endpoint];
    const say = async (source: ScriptedDiscovery, endpoints: readonly Endpoint[], certain: boolean) => {
      source.current.answer({ endpoints, certain });
      await settle();
      return answers.at(-1)?.certain;
    };
    await say(one, [a], true);
    expect(answers, "waits for the other").toEqual([]);
    expect(await say(two, [b], false)).toBe(false);
    expect([await say(one, [a], false), await say(two, [b], true)], "confirmed by both, each once certain").toEqual([false, true]);
    expect(await say(one, [], true), "nothing of it is held").toBe(true);
    expect(answers.at(-1)?.endpoints.map(({ id }) => id)).toEqual(["b"]);
    expect(await say(two, [], false), "held by the second source's own quarantine").toBe(false);
    expect([answers.at(-1)?.endpoints.map(({ id }) => id), answers.at(-1)?.unconfirmed]).toEqual([["b"], ["b"]]);
    expect(await say(two, [{ ...b, port: 81 }], false)).toBe(false);
    controller.abort();
    await reading;
  });

  it("is certain with a source that is trusted in everything, when the others are certain", async () => {
    const source = new ScriptedDiscovery();
    const { b } = twoRegistries();
    const { updates, stop } = used(union(source, b));
    await settle();
    const all = [..."abcdef"].map((id, place) => ({ id, host: `10.0.0.${place}`, port: 80 }));
    source.current.answer(all);
    await settle();
    source.current.answer({ endpoints: [], certain: true });
    await settle();
    expect(updates.map(({ endpoints, quarantined }) => [endpoints.length, quarantined])).toEqual([
      [7, false],
      [1, false],
    ]);
    await stop();
  });

  it("refuses a malformed answer of one source, naming that source, and keeps the parts in use", async () => {
    const source = Object.assign(new ScriptedDiscovery(), { name: "list at http://a" });
    const { b } = twoRegistries();
    const errors: string[] = [];
    const { ids } = follow(union([source, b], { onError: (error) => errors.push((error as Error).message) }));
    await settle();
    source.current.answer([{ id: "a1", host: "10.0.0.1", port: 80 }]);
    await settle();
    source.current.answer({ endpoints: 5 });
    await settle();
    expect(errors).toEqual([
      expect.stringMatching(/^list at http:\/\/a: watch\("orders"\) yielded \{ endpoints: number, certain: undefined \}/),
    ]);
    expect(ids.at(-1)).toEqual(["a1", "b1"]);
  });

  it("confirms a set, by the same array, each time all of its sources have confirmed their parts", async () => {
    const { a, b } = twoRegistries();
    const { sets } = follow(union(polled(a, 1_000), polled(b, 3_000)));
    await settle();
    await vi.advanceTimersByTimeAsync(2_999);
    expect(sets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(sets).toHaveLength(4);
    expect(new Set(sets).size).toBe(1);
  });

  it("confirms nothing while one of its sources fails or is doubted, but tells the changes of the others", async () => {
    const { a, b } = twoRegistries();
    const { ids, sets } = follow(union(polled(a), polled(b)));
    await vi.advanceTimersByTimeAsync(3_500);
    const before = sets.length;
    expect(before).toBe(4);
    b.fail();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sets).toHaveLength(before);
    a.add("orders", { id: "a2", host: "10.0.0.2", port: 80 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ids.slice(before)).toEqual([["a1", "a2", "b1"]]);
    b.heal();
    await vi.advanceTimersByTimeAsync(60_000);
    const healed = sets.length;
    expect(healed).toBeGreaterThan(before + 1);
    // Suddenly empty: for half a minute its last set stays, in doubt, and is not confirmed.
    b.set("orders", []);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(ids.slice(healed)).toEqual([["a1", "a2", "b1"]]);
    expect(new Set(sets).size).toBe(2);
  });

  it("hands on which endpoints one of its sources has just left out, unless another lists them", async () => {
    const [one, two] = [new ScriptedDiscovery(), new ScriptedDiscovery()];
    const { updates, watcher, stop } = used(union(one, two));
    await settle();
    const [a, b, c, d, e] = [..."abcde"].map((id, place) => ({ id, host: `10.0.0.${place}`, port: 80 })) as Endpoint[] as [
      Endpoint,
      Endpoint,
      Endpoint,
      Endpoint,
      Endpoint,
    ];
    one.current.answer([a, b, c, d]);
    two.current.answer([d, e]);
    await settle();
    one.current.answer([a]);
    await settle();
    expect(watcher.unconfirmed.map(({ id }) => id)).toEqual(["b", "c"]);
    expect([updates.at(-1)?.quarantined, updates.at(-1)?.endpoints.length]).toEqual([true, 5]);
    one.current.answer({ endpoints: [a], certain: true });
    await settle();
    expect([
      watcher.unconfirmed,
      updates
        .at(-1)
        ?.endpoints.map(({ id }) => id)
        .sort(),
    ]).toEqual([[], ["a", "d", "e"]]);
    await stop();
  });

  it("passes on what its sources leave out, and hints to them", async () => {
    const hints: string[] = [];
    const hinted = (name: string): Discovery => ({
      refresh: (service) => hints.push(`${name} ${service}`),
      async *watch(_service, signal) {
        yield { endpoints: [], certain: false, leftOut: [{ id: name, reason: "in maintenance", withdrawn: true }] };
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      },
    });
    for (const combined of [union(hinted("a"), hinted("b")), fallback(hinted("a"), hinted("b"), { shouldSwitchOnEmpty: true })]) {
      hints.length = 0;
      const { watcher, stop } = used(combined);
      await settle();
      combined.refresh?.("orders");
      combined.refresh?.("billing");
      await vi.advanceTimersByTimeAsync(1_000);
      expect(hints.sort()).toEqual(["a orders", "b orders"]);
      expect(watcher.leftOut[0]?.reason).toBe("in maintenance");
      await stop();
    }
  });

  it("confirms a set without a source that has never answered", async () => {
    const { a, b } = twoRegistries();
    b.fail();
    const { sets } = follow(union(polled(a), polled(b), silent));
    await vi.advanceTimersByTimeAsync(5_500);
    expect(sets.length).toBeGreaterThanOrEqual(5);
    expect(new Set(sets).size).toBe(1);
  });

  it("lists the services of all sources, once each, and fails only when all do", async () => {
    const { signal } = new AbortController();
    const { a, b } = twoRegistries();
    b.add("users", { host: "127.0.0.1", port: 1 });
    const errors: unknown[] = [];
    const both = union([a, silent, b], { onError: (error) => errors.push(error) });
    expect(await both.services?.(signal)).toEqual(["orders", "users"]);
    a.fail(new Error("no leader"));
    expect(await both.services?.(signal)).toEqual(["orders", "users"]);
    expect(errors).toMatchObject([{ message: "no leader" }]);
    b.fail();
    await expect(both.services?.(signal)).rejects.toMatchObject({ code: "ERR_MESH_DISCOVERY" });
    expect(union(silent).services).toBeUndefined();
  });

  it("leaves no timer and no listener behind", async () => {
    const { a } = twoRegistries();
    const { stop, ended, signal } = follow(union(a, silent));
    await settle();
    expect(vi.getTimerCount()).toBe(1);
    stop();
    await ended;
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    expect(a.watches).toBe(0);
  });

  it("has the names of its sources, trusts emptiness only where all do, and closes all", async () => {
    const { a, b } = twoRegistries();
    const close = vi.fn();
    expect(union(a, b)).toMatchObject({ name: "memory registry and memory registry", emptyPolicy: "trust" });
    expect(union(a, silent).emptyPolicy).toBe("quarantine");
    await union({ ...silent, close }, a, { ...silent, close }).close?.();
    expect(close).toHaveBeenCalledTimes(2);
  });

  it("refuses wrong arguments at construction, naming option and value", () => {
    const { a } = twoRegistries();
    expect(() => union()).toThrow(/at least one/);
    expect(() => union([])).toThrow(/at least one/);
    expect(() => union(a, undefined as unknown as Discovery)).toThrow(/source 2.*undefined/);
    expect(() => union([a], { waitMs: Number.NaN })).toThrow(/waitMs.*NaN/);
    expect(() => union([a], { onError: 5 as never })).toThrow("union: onError must be a function, not 5");
    expect(() => union([a], { wait: 5 } as never)).toThrow('union has no option "wait"; it has waitMs');
  });
});

function twoRegistries() {
  const [a, b] = [memoryRegistry(), memoryRegistry()];
  a.set("orders", [{ id: "a1", host: "10.0.0.1", port: 80 }]);
  b.set("orders", [{ id: "b1", host: "10.0.1.1", port: 80 }]);
  return { a, b };
}

/** Reads a watch of `orders` and keeps every set. */
function follow(discovery: Discovery) {
  const controller = new AbortController();
  const sets: (readonly Endpoint[])[] = [];
  const ids: string[][] = [];
  const ended = (async () => {
    for await (const yielded of discovery.watch("orders", controller.signal)) {
      const set = endpointsIn(yielded);
      sets.push(set);
      ids.push(set.map((endpoint) => endpoint?.id));
    }
  })();
  ended.catch(() => undefined);
  return { sets, ids, ended, signal: controller.signal, stop: () => controller.abort() };
}

/** Watches `orders` as a mesh does and keeps the updates. */
function used(discovery: Discovery) {
  const updates: EndpointsUpdate[] = [];
  const watcher = new Watcher({
    discovery,
    service: "orders",
    clock: systemClock,
    random: () => 0.5,
    onUpdate: (update) => updates.push(update),
    onError: (error) => expect.fail(String(error)),
  });
  watcher.start();
  return { updates, watcher, stop: () => watcher.stop() };
}

/** Lets everything happen that needs no time. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}
