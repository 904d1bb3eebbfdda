import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import type { Discovery } from "../../../src/discovery/discovery.ts";
import {
  type ContractEndpoint,
  type DiscoveryHarness,
  discoveryContract,
  type MemoryRegistry,
  memoryRegistry,
} from "../../../src/testing/index.ts";

type Watch = Discovery["watch"];

/** A harness around a memory registry whose adapter is broken by `wrap`. */
function harnessWith(
  wrap: (registry: MemoryRegistry) => Partial<DiscoveryHarness> & { readonly watch?: Watch; readonly services?: Discovery["services"] },
) {
  return async (): Promise<DiscoveryHarness> => {
    const registry = memoryRegistry();
    const { watch, services, ...overrides } = wrap(registry);
    return {
      discovery: {
        watch: watch ?? ((service, signal) => registry.watch(service, signal)),
        services: services ?? ((signal) => registry.services(signal)),
      },
      service: "orders",
      otherService: "users",
      set: async (endpoints, service = "orders") => registry.set(service, endpoints),
      breakSource: async () => registry.fail(),
      healSource: async () => registry.heal(),
      close: async () => {},
      withinMs: 150,
      stopWithinMs: 100,
      ...overrides,
    };
  };
}

/** An adapter that changes every set on its way. */
function changing(change: (set: readonly Endpoint[], count: number) => readonly Endpoint[], service?: (name: string) => string) {
  return harnessWith((registry) => ({
    async *watch(name, signal) {
      let count = 0;
      for await (const set of registry.watch(service?.(name) ?? name, signal)) yield change(set, count++);
    },
  }));
}

/** An adapter that yields the current set once, and stays. */
const deaf = harnessWith((registry) => ({
  async *watch(service, signal) {
    yield registry.endpoints(service);
    await wait(10_000, undefined, { signal }).catch(() => undefined);
  },
}));

const silent = harnessWith(() => ({
  async *watch(_service, signal) {
    await wait(10_000, undefined, { signal }).catch(() => undefined);
  },
}));

/** An adapter that yields changes only. */
const deltas = harnessWith((registry) => ({
  async *watch(service, signal) {
    let before: readonly Endpoint[] = [];
    for await (const set of registry.watch(service, signal)) {
      const added = set.filter(({ id }) => !before.some((endpoint) => endpoint.id === id));
      before = set;
      yield added;
    }
  },
}));

const stubborn = harnessWith((registry) => ({
  async *watch(service) {
    yield registry.endpoints(service);
    for (;;) {
      await wait(200);
      yield registry.endpoints(service);
    }
  },
}));

/** An adapter that treats a broken source as an empty one. */
const swallowing = harnessWith((registry) => ({
  async *watch(service, signal) {
    while (!signal.aborted) {
      try {
        for await (const set of registry.watch(service, signal)) yield set;
      } catch {
        yield [];
        await wait(10);
      }
    }
  },
}));

const throwing = harnessWith((registry) => ({
  async *watch(service, signal) {
    for await (const set of registry.watch(service, signal)) {
      if (set.length === 0) throw new Error("no such service");
      yield set;
    }
  },
}));

const broken: readonly (readonly [name: string, how: string, create: () => Promise<DiscoveryHarness>])[] = [
  ["yields the current set first, and all of it", "yields nothing", silent],
  ["yields the current set first, and all of it", "begins with an empty set", changing((set, count) => (count === 0 ? [] : set))],
  ["yields the current set first, and all of it", "leaves one out", changing((set) => set.slice(1))],
  ["yields a set that does not change again, which confirms it", "yields it once", deaf],
  [
    "yields a set that does not change again, which confirms it",
    "confirms it with an empty one",
    harnessWith((registry) => ({
      async *watch(service, signal) {
        yield registry.endpoints(service);
        while (!signal.aborted) {
          await wait(10);
          yield [];
        }
      },
    })),
  ],
  ["yields an empty set for an unknown service", "throws", throwing],
  ["yields an empty set for an unknown service", "yields nothing", silent],
  [
    "treats a service named like a property of every object as unknown",
    "keeps services in an object",
    harnessWith(() => ({
      async *watch(service) {
        const services: Record<string, readonly Endpoint[]> = {};
        yield services[service] ?? [];
      },
    })),
  ],
  ["sees a service that appears while it is watched", "sees no change", deaf],
  ["sees a new instance, in sets that still hold the others", "sees no change", deaf],
  ["sees a new instance, in sets that still hold the others", "yields what is new only", deltas],
  ["sees an instance leave, in sets that still hold the others", "sees no change", deaf],
  ["sees an instance leave, in sets that still hold the others", "yields what is new only", deltas],
  ["sees the last instance leave as an empty set", "sees no change", deaf],
  [
    "sees the last instance leave as an empty set",
    "does not yield empty sets",
    harnessWith((registry) => ({
      async *watch(service, signal) {
        for await (const set of registry.watch(service, signal)) if (set.length > 0) yield set;
      },
    })),
  ],
  ["sees an instance move to another port", "sees no change", deaf],
  ["reports weights", "drops weights", changing((set) => set.map(({ weight: _weight, ...rest }) => rest))],
  ["sees a weight change", "sees no change", deaf],
  [
    "gives every instance an id that is unique and survives updates",
    "numbers instances by their place",
    changing((set) => set.map((endpoint, index) => ({ ...endpoint, id: String(index) }))),
  ],
  [
    "gives every instance an id that is unique and survives updates",
    "gives all one id",
    changing((set) => set.map((endpoint) => ({ ...endpoint, id: "x" }))),
  ],
  [
    "gives every instance an id of its own, the same in every watch",
    "makes ids up",
    changing((set) => set.map((endpoint) => ({ ...endpoint, id: String(Math.random()) }))),
  ],
  [
    "gives every instance an id of its own, the same in every watch",
    "gives all one id",
    changing((set) => set.map((endpoint) => ({ ...endpoint, id: "x" }))),
  ],
  ...(
    [
      ["a port of 0", { port: 0 }],
      ["a port in text", { port: "80" as unknown as number }],
      ["a weight below 0", { weight: -1 }],
      ["a host with brackets", { host: "[::1]" }],
      ["no id", { id: "" }],
    ] as const
  ).map(
    ([how, wrong]) =>
      [
        "yields endpoints with a host, a port and a weight that are valid",
        `yields ${how}`,
        changing((set) => set.map((endpoint) => ({ ...endpoint, ...wrong }))),
      ] as const,
  ),
  [
    "serves two watches of one service independently",
    "ends all watches with one",
    harnessWith((registry) => {
      const shared = new AbortController();
      return {
        watch(service, signal) {
          signal.addEventListener("abort", () => shared.abort());
          return registry.watch(service, shared.signal);
        },
      };
    }),
  ],
  [
    "does not mix in the instances of another service",
    "knows one service only",
    changing(
      (set) => set,
      () => "orders",
    ),
  ],
  ["ends promptly when its signal aborts while it waits", "does not look at its signal", stubborn],
  ["ends promptly when its signal had aborted before", "does not look at its signal", stubborn],
  [
    "ends when its reader stops reading",
    "has no return()",
    harnessWith((registry) => ({
      watch(service, signal) {
        const iterator = registry.watch(service, signal)[Symbol.asyncIterator]();
        return { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) };
      },
    })),
  ],
  [
    "throws when the source is broken, instead of yielding an empty set, and works when asked again after it healed",
    "takes it for an empty one",
    swallowing,
  ],
  [
    "throws when the source is broken, instead of yielding an empty set, and works when asked again after it healed",
    "never recovers",
    harnessWith((registry) => {
      let error: Error | undefined;
      return {
        async *watch(service, signal) {
          try {
            if (error) throw error;
            yield* registry.watch(service, signal);
          } catch (thrown) {
            error = thrown as Error;
            throw thrown;
          }
        },
      };
    }),
  ],
  ["yields no empty set to a watch during which the source breaks", "takes it for an empty one", swallowing],
  [
    "yields no empty set to a watch during which the source breaks",
    "empties running watches, and only these",
    harnessWith((registry) => ({
      async *watch(service, signal) {
        let hasAnswered = false;
        try {
          for await (const set of registry.watch(service, signal)) {
            hasAnswered = true;
            yield set;
          }
        } catch (error) {
          if (hasAnswered) yield [];
          throw error;
        }
      },
    })),
  ],
  [
    "takes a hint to ask again at any time, and goes on yielding the current set",
    "answers the hint with a promise",
    async () => {
      const harness = await harnessWith(() => ({}))();
      return { ...harness, discovery: { ...harness.discovery, refresh: () => Promise.resolve() as never } };
    },
  ],
  ["lists the service in its catalogue", "lists nothing", harnessWith(() => ({ services: async () => [] }))],
  ["lists the service in its catalogue", "lists a service twice", harnessWith(() => ({ services: async () => ["orders", "orders"] }))],
  ["lists the service in its catalogue", "never answers", harnessWith(() => ({ services: () => new Promise(() => undefined) }))],
];

describe("discoveryContract", () => {
  it.each(broken)("%s: fails for an adapter that %s", async (name, _how, create) => {
    const test = discoveryContract(create).find((candidate) => candidate.name === name);
    await expect(test?.run()).rejects.toMatchObject({ code: "ERR_ASSERTION" });
  });

  it("has been seen to fail in every case", () => {
    const names = discoveryContract(harnessWith(() => ({}))).map(({ name }) => name);
    expect(new Set(broken.map(([name]) => name))).toEqual(new Set(names));
  });

  it("passes an adapter that yields once and returns, as one that polls", async () => {
    const polling = harnessWith((registry) => ({
      async *watch(service, signal) {
        for await (const set of registry.watch(service, signal)) {
          yield set;
          return;
        }
      },
      withinMs: 1_000,
    }));
    for (const test of discoveryContract(polling)) await test.run();
  });

  it("passes an adapter that says how sure it is", async () => {
    const sure = harnessWith((registry) => ({
      async *watch(service, signal) {
        while (!signal.aborted) {
          // Throws while the registry fails.
          await registry.services();
          yield { endpoints: registry.endpoints(service), certain: true };
          await wait(10);
        }
      },
      withinMs: 1_000,
    }));
    for (const test of discoveryContract(sure)) await test.run();
  });

  it("fails with what is wrong when an answer is malformed", async () => {
    const malformed = harnessWith(() => ({
      async *watch() {
        yield { endpoints: 5, certain: true } as never;
      },
    }));
    const test = discoveryContract(malformed).find(({ name }) => name.startsWith("yields the current set first"));
    await expect(test?.run()).rejects.toThrow(/watch\("orders"\) yielded \{ endpoints: number, certain: boolean \}; expected an array/);
  });

  it("reports a set that is changed after it was yielded", async () => {
    const growing = harnessWith((registry) => ({
      async *watch(service, signal) {
        const shared: Endpoint[] = [];
        for await (const set of registry.watch(service, signal)) {
          shared.splice(0, shared.length, ...set);
          yield shared;
        }
      },
    }));
    const test = discoveryContract(growing).find(({ name }) => name.startsWith("sees a new instance"));
    await expect(test?.run()).rejects.toThrow(/changed after it had been yielded/);
  });

  it("fails, instead of passing over it, when a harness lacks what a case needs", async () => {
    const create = harnessWith(() => ({}));
    const bare = async (): Promise<DiscoveryHarness> => {
      const { discovery, service, set, close } = await create();
      return { discovery: { watch: (name, signal) => discovery.watch(name, signal) }, service, set, close, withinMs: 150 };
    };
    const outcomes = await Promise.allSettled(discoveryContract(bare).map(({ run }) => run()));
    const messages = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [String(outcome.reason)] : []));
    expect(messages).toHaveLength(5);
    for (const message of messages) expect(message).toMatch(/lacks: \["(confirmations|two services|breaking|services)"\]/);
    const lacks = ["confirmations", "two services", "breaking", "services"] as const;
    for (const test of discoveryContract(bare, { lacks })) await test.run();
  });

  it("closes the harness and ends its watches also after a case has failed", async () => {
    const registry = memoryRegistry();
    let isClosed = false;
    const create = async (): Promise<DiscoveryHarness> => ({
      discovery: registry,
      service: "orders",
      set: async (_endpoints: readonly ContractEndpoint[]) => {},
      close: async () => {
        isClosed = true;
      },
      withinMs: 50,
    });
    const test = discoveryContract(create).find(({ name }) => name.startsWith("sees a new instance"));
    await expect(test?.run()).rejects.toThrow(/expected the set/);
    expect(isClosed).toBe(true);
    expect(registry.watches).toBe(0);
  });
});
