import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { fallback } from "../../../src/discovery/combined/fallback.ts";
import type { Discovery, DiscoveryAnswer } from "../../../src/discovery/discovery.ts";
import { discoveryContract, memoryRegistry } from "../../../src/testing/index.ts";
import { ScriptedDiscovery } from "../scripted-discovery.ts";
import { endpointsIn, polled, silent } from "../sources.ts";

describe("fallback to a list while the primary works", () => {
  const contract = discoveryContract(
    async () => {
      const primary = memoryRegistry();
      const secondary = memoryRegistry();
      secondary.set("orders", [{ host: "10.9.9.9", port: 9 }]);
      return {
        discovery: fallback(primary, secondary),
        service: "orders",
        otherService: "users",
        set: async (endpoints, service = "orders") => primary.set(service, endpoints),
        async breakSource() {
          primary.fail();
          secondary.fail();
        },
        async healSource() {
          primary.heal();
          secondary.heal();
        },
        async close() {
          expect(primary.watches + secondary.watches).toBe(0);
        },
      };
    },
    { lacks: ["confirmations"] },
  );
  for (const test of contract) it(test.name, test.run);
});

describe("fallback to a registry while the primary fails", () => {
  const contract = discoveryContract(
    async () => {
      const primary = memoryRegistry();
      primary.fail();
      const secondary = memoryRegistry();
      return {
        discovery: fallback(primary, secondary),
        service: "orders",
        otherService: "users",
        set: async (endpoints, service = "orders") => secondary.set(service, endpoints),
        breakSource: async () => secondary.fail(),
        healSource: async () => secondary.heal(),
        close: async () => expect(primary.watches + secondary.watches).toBe(0),
      };
    },
    { lacks: ["confirmations"] },
  );
  for (const test of contract) it(test.name, test.run);
});

describe("fallback", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] }));
  afterEach(() => void vi.useRealTimers());

  it("uses the secondary at once when the primary fails before it has answered", async () => {
    const { primary, watch, errors, switches } = setUp();
    primary.fail(new Error("no leader"));
    const { ports } = watch();
    await settle();
    expect(ports).toEqual([[2]]);
    expect(switches).toEqual(["orders secondary"]);
    expect(errors).toEqual(["memory registry orders: no leader"]);
  });

  it("uses the secondary when the primary is silent for switchAfterMs", async () => {
    const { watch, secondary } = setUp({ primary: silent });
    const { ports } = watch();
    await vi.advanceTimersByTimeAsync(499);
    expect(ports).toEqual([]);
    expect(secondary.watches).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(ports).toEqual([[2]]);
  });

  it("does not watch the secondary while the primary answers", async () => {
    const { watch, secondary } = setUp();
    const { ports } = watch();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ports).toEqual([[1]]);
    expect(secondary.watches).toBe(0);
  });

  it("keeps the primary's last set for switchAfterMs when it fails after it had answered", async () => {
    const { primary, watch } = setUp();
    const { ports } = watch();
    await vi.advanceTimersByTimeAsync(10_000);
    primary.fail();
    await vi.advanceTimersByTimeAsync(499);
    expect(ports).toEqual([[1]]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ports).toEqual([[1], [2]]);
  });

  it("does not switch for a disturbance that is shorter than switchAfterMs", async () => {
    const { primary, watch, switches } = setUp();
    const { ports } = watch();
    await settle();
    primary.fail();
    await settle();
    primary.heal();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(switches).toEqual([]);
    expect(new Set(ports.flat())).toEqual(new Set([1]));
  });

  it("finds its way back to the primary with its first good answer and lets the secondary go", async () => {
    const { primary, secondary, watch, switches } = setUp();
    primary.fail();
    const { ports } = watch();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ports).toEqual([[2]]);
    primary.set("orders", [{ host: "127.0.0.1", port: 11 }]);
    primary.heal();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(ports).toEqual([[2], [11]]);
    expect(switches).toEqual(["orders secondary", "orders primary"]);
    expect(secondary.watches).toBe(0);
    secondary.set("orders", [{ host: "127.0.0.1", port: 12 }]);
    await settle();
    expect(ports).toHaveLength(2);
  });

  it("asks the failing primary again with growing pauses that are spread at random", async () => {
    const asked: number[] = [];
    const failing: Discovery = {
      watch() {
        asked.push(performance.now());
        throw new Error("down");
      },
    };
    const { watch } = setUp({ primary: failing, random: () => 0.5 });
    const start = performance.now();
    watch();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.map((at) => Math.round(at - start))).toEqual([0, 50, 400, 750, 1150, 1950, 3550]);
  });

  it("sees changes of the secondary while it is used", async () => {
    const { primary, secondary, watch } = setUp();
    primary.fail();
    const { ports } = watch();
    await settle();
    secondary.add("orders", { host: "127.0.0.1", port: 3 });
    await settle();
    expect(ports).toEqual([[2], [2, 3]]);
  });

  it("throws when both fail, with both reasons", async () => {
    const { primary, secondary, watch } = setUp();
    primary.fail(new Error("no leader"));
    secondary.fail(new Error("no such file"));
    const { ended } = watch();
    const error = await ended.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ERR_MESH_DISCOVERY", service: "orders" });
    expect(String(error)).toMatch(/no leader.*no such file/);
    expect((error as { cause: AggregateError }).cause.errors).toHaveLength(2);
    expect(primary.watches + secondary.watches).toBe(0);
  });

  it("waits for a silent primary while the secondary fails", async () => {
    const { watch, secondary } = setUp({ primary: slow(2_000) });
    secondary.fail();
    const { ports } = watch();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(ports).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ports).toEqual([[7]]);
  });

  it("takes an empty primary at its word", async () => {
    const { primary, watch } = setUp();
    primary.set("orders", []);
    const { ports } = watch();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(ports).toEqual([[]]);
  });

  it("uses the secondary while the primary is empty when it is told to", async () => {
    const { primary, secondary, watch } = setUp({ shouldSwitchOnEmpty: true });
    primary.set("orders", []);
    const { ports } = watch();
    await settle();
    expect(ports).toEqual([[2]]);
    secondary.fail();
    await settle();
    expect(ports).toEqual([[2]]);
    primary.add("orders", { host: "127.0.0.1", port: 1 });
    await settle();
    expect(ports).toEqual([[2], [1]]);
  });

  it("is empty when the primary is empty and the secondary is empty or fails", async () => {
    for (const secondaryFails of [false, true]) {
      const { primary, secondary, watch } = setUp({ shouldSwitchOnEmpty: true });
      primary.set("orders", []);
      secondary.set("orders", []);
      if (secondaryFails) secondary.fail();
      const { ports } = watch();
      await settle();
      expect(ports).toEqual([[]]);
    }
  });

  it("passes on what is no endpoint, so that the mesh can report it", async () => {
    const wrong: Discovery = {
      async *watch() {
        yield [
          { id: "a", host: "127.0.0.1", port: 1 },
          { id: "b", host: "127.0.0.1", port: 0 },
        ];
      },
    };
    const { watch } = setUp({ primary: wrong });
    const { ports } = watch();
    await settle();
    expect(ports).toEqual([[1, 0]]);
  });

  it("passes on what confirms the source in use, by the same array, and nothing while there is no answer", async () => {
    const registry = memoryRegistry();
    registry.set("orders", [{ host: "127.0.0.1", port: 5 }]);
    const { secondary, watch } = setUp({ primary: polled(registry) });
    const { ports, sets } = watch();
    await vi.advanceTimersByTimeAsync(3_500);
    expect(ports).toEqual([[5], [5], [5], [5]]);
    expect(new Set(sets).size).toBe(1);
    registry.fail();
    await vi.advanceTimersByTimeAsync(60_000);
    // The secondary announces changes only: this is its answer.
    expect(ports.slice(4)).toEqual([[2]]);
    secondary.set("orders", secondary.endpoints("orders"));
    await settle();
    expect(ports.slice(4)).toEqual([[2], [2]]);
    expect(sets[5]).toBe(sets[4]);
  });

  it("is as certain as the source its answer is from", async () => {
    const source = new ScriptedDiscovery();
    const { discovery } = setUp({ primary: source });
    const controller = new AbortController();
    const certain: boolean[] = [];
    const reading = (async () => {
      for await (const answer of discovery.watch("orders", controller.signal)) certain.push((answer as DiscoveryAnswer).certain);
    })();
    await settle();
    const endpoint = { id: "a", host: "10.0.0.1", port: 80 };
    for (const answer of [[endpoint], { endpoints: [], certain: true }, { endpoints: [endpoint], certain: false }]) {
      source.current.answer(answer);
      await settle();
    }
    source.current.fail(new Error("down"));
    await vi.advanceTimersByTimeAsync(500);
    expect(certain, "the secondary, a registry in memory, is certain of nothing").toEqual([false, true, false, false]);
    controller.abort();
    await reading;
  });

  it("survives an onError that throws", async () => {
    const warning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const primary = memoryRegistry();
    primary.fail();
    const discovery = fallback(primary, setUp().secondary, {
      onError() {
        throw new Error("the log is full");
      },
    });
    const { ports } = follow(discovery);
    await settle();
    expect(ports).toEqual([[2]]);
    expect(warning).toHaveBeenCalledWith(expect.stringContaining("the log is full"), "MeshCallbackWarning");
    warning.mockRestore();
  });

  it("leaves no timer and no listener behind", async () => {
    const { primary, secondary, watch } = setUp({ primary: silent });
    const { stop, ended, signal } = watch();
    await settle();
    expect(vi.getTimerCount()).toBe(1);
    stop();
    await ended;
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    expect(primary.watches + secondary.watches).toBe(0);
  });

  it("lists the primary's services, and the secondary's when it fails or is silent", async () => {
    const { signal } = new AbortController();
    const { primary, secondary } = setUp();
    primary.add("users", { host: "127.0.0.1", port: 1 });
    expect(await fallback(primary, secondary).services?.(signal)).toEqual(["orders", "users"]);
    expect(vi.getTimerCount()).toBe(0);
    primary.fail();
    expect(await fallback(primary, secondary).services?.(signal)).toEqual(["orders"]);
    const hanging = { ...silent, services: () => new Promise<never>(() => undefined) };
    const names = fallback(hanging, secondary).services?.(signal);
    await vi.advanceTimersByTimeAsync(500);
    expect(await names).toEqual(["orders"]);
    expect(await fallback(silent, secondary).services?.(signal)).toEqual(["orders"]);
    expect(fallback(silent, silent).services).toBeUndefined();
  });

  it("rejects services() with the reason when it is aborted", async () => {
    const { primary, secondary } = setUp();
    const reason = new Error("enough");
    await expect(fallback(primary, secondary).services?.(AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it("trusts emptiness only where both sources do", () => {
    const registry = memoryRegistry();
    expect(fallback(registry, registry).emptyPolicy).toBe("trust");
    expect(fallback(registry, silent).emptyPolicy).toBe("quarantine");
  });

  it("closes both, also when one can't be closed", async () => {
    const closed: string[] = [];
    const closing = (name: string): Discovery => ({
      ...silent,
      close() {
        closed.push(name);
        throw new Error(`${name} is stuck`);
      },
    });
    await expect(fallback(closing("a"), closing("b")).close?.()).rejects.toMatchObject({
      errors: [{ message: "a is stuck" }, { message: "b is stuck" }],
    });
    await expect(fallback(closing("a"), silent).close?.()).rejects.toThrow("a is stuck");
    expect(closed).toEqual(["a", "b", "a"]);
  });

  it("is named after both", () => {
    expect(fallback(memoryRegistry(), silent).name).toBe("memory registry, else unnamed discovery");
  });

  it("refuses wrong arguments at construction, naming option and value", () => {
    const registry = memoryRegistry();
    expect(() => fallback(undefined as unknown as Discovery, registry)).toThrow(/primary.*undefined/);
    expect(() => fallback(registry, {} as Discovery)).toThrow(/secondary.*object/);
    expect(() => fallback(registry, registry, { switchAfterMs: -1 })).toThrow(/switchAfterMs.*-1/);
    expect(() => fallback(registry, registry, { switchAfterMs: Number.NaN })).toThrow("switchAfterMs must be a number, not NaN");
    expect(() => fallback(registry, registry, { shouldSwitchOnEmpty: 1 as never })).toThrow(
      "shouldSwitchOnEmpty must be true or false, not 1",
    );
    expect(() => fallback(registry, registry, { onSwitch: "log" as never })).toThrow('onSwitch must be a function, not "log"');
    expect(() => fallback(registry, registry, { switchAfter: 1 } as never)).toThrow(
      'fallback has no option "switchAfter"; it has switchAfterMs',
    );
  });
});

function slow(delayMs: number): Discovery {
  return {
    async *watch() {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      yield [{ id: "slow", host: "127.0.0.1", port: 7 }];
    },
  };
}

/** A primary that lists port 1 and a secondary that lists port 2, unless `changes` says otherwise. */
function setUp(changes: { primary?: Discovery; shouldSwitchOnEmpty?: boolean; random?: () => number } = {}) {
  const { primary: substitute, ...options } = changes;
  const primary = memoryRegistry();
  const secondary = memoryRegistry();
  primary.set("orders", [{ host: "127.0.0.1", port: 1 }]);
  secondary.set("orders", [{ host: "127.0.0.1", port: 2 }]);
  const errors: string[] = [];
  const switches: string[] = [];
  const discovery = fallback(substitute ?? primary, secondary, {
    onError: (error, service, source) => errors.push(`${source.name} ${service}: ${(error as Error).message}`),
    onSwitch: (service, to) => switches.push(`${service} ${to}`),
    ...options,
  });
  return { primary, secondary, errors, switches, discovery, watch: () => follow(discovery) };
}

/** Reads a watch of `orders` and keeps the ports of every set. */
function follow(discovery: Discovery) {
  const controller = new AbortController();
  const sets: (readonly Endpoint[])[] = [];
  const ports: number[][] = [];
  const ended = (async () => {
    for await (const yielded of discovery.watch("orders", controller.signal)) {
      const set = endpointsIn(yielded);
      sets.push(set);
      ports.push(set.map(({ port }) => port));
    }
  })();
  ended.catch(() => undefined);
  return { sets, ports, ended, signal: controller.signal, stop: () => controller.abort() };
}

/** Lets everything happen that needs no time. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}
