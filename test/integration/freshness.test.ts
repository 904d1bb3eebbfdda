import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Discovery } from "../../src/extend.ts";
import { createMesh, type Registrar } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { memoryRegistry, seededRandom } from "../../src/testing/index.ts";
import { type Observation, violationsOf, type Write } from "../model/freshness.ts";
import { available } from "../servers/available.ts";
import { startConsul } from "../servers/consul.ts";
import { startEureka } from "../servers/eureka.ts";

interface Registry {
  readonly discovery: Discovery & Registrar;
  stop(): Promise<void>;
}

/** How late a client may know of a change, in milliseconds: with room for a machine that does other things too. */
const registries: Readonly<Record<string, { readonly boundMs: number; readonly isThere: boolean; start(): Promise<Registry> }>> = {
  "the memory registry": {
    boundMs: 250,
    isThere: true,
    start: async () => ({ discovery: memoryRegistry(), stop: async () => {} }),
  },
  Consul: {
    // 250 ms and three times that for slack.
    boundMs: 1_000,
    isThere: available("consul"),
    async start() {
      const server = await startConsul();
      return { discovery: consul({ url: server.url, minIntervalMs: 20 }), stop: () => server.stop() };
    },
  },
  Eureka: {
    // The client asks every 100 ms; the server answers from a cache for 200 ms, which it invalidates itself as a rule.
    boundMs: 1_500,
    isThere: available("eureka"),
    async start() {
      const server = await startEureka();
      return { discovery: eureka({ servers: [server.url], refreshMs: 100 }), stop: () => server.stop() };
    },
  },
};

const seed = 7;
const service = "fresh";
const lives = 4;
/** Registries make ids of their own, so instances are told apart by their ports. */
const nameOf = (port: number) => `instance ${Math.floor(port / 1_000)}`;

describe.each(Object.entries(registries))("what a mesh knows from %s", (_name, { boundMs, isThere, start }) => {
  let registry: Registry;
  beforeAll(async () => {
    if (isThere) registry = await start();
  }, 120_000);
  afterAll(() => registry?.stop());

  it.skipIf(!isThere)("is never older than its bound, and never goes back", { timeout: 60_000 }, async () => {
    const { discovery } = registry;
    const writes: Write[] = [];
    const observations: Observation[] = [];
    const mesh = createMesh({
      discovery,
      observers: [
        {
          onEvent: (event) => {
            if (event.type !== "endpoints") return;
            const { endpoints } = event;
            observations.push({ at: performance.now(), values: new Map(endpoints.map(({ port }) => [nameOf(port), String(port)])) });
          },
        },
      ],
    });
    // Some that stay, so that one that leaves is no cliff.
    const staying = await Promise.all(
      [1, 2, 3, 4].map((port) => discovery.register({ service, host: "127.0.0.1", port, id: `stays-${port}` })),
    );
    await mesh.warm(service);
    const watchedFrom = performance.now();

    /** One instance that comes, goes and comes back elsewhere. */
    const live = async (number: number) => {
      const random = seededRandom(seed + number);
      // Some stay for longer than the bound, and have to be seen; some for less.
      const pausing = () => pause(random() * 1.5 * boundMs);
      for (let life = 0; life < lives; life++) {
        const port = 1_000 * number + life;
        const endpoint = nameOf(port);
        const registering = { endpoint, value: String(port), invokedAt: performance.now() };
        const registration = await discovery.register({ service, host: "127.0.0.1", port, id: `moves-${number}` });
        writes.push({ ...registering, acknowledgedAt: performance.now() });
        await pausing();
        const leaving = { endpoint, value: undefined, invokedAt: performance.now() };
        await registration.deregister();
        writes.push({ ...leaving, acknowledgedAt: performance.now() });
        await pausing();
      }
    };
    await Promise.all([1, 2, 3].map(live));
    await pause(boundMs);
    const endAt = performance.now();
    await mesh.close();
    await Promise.all(staying.map((registration) => registration.deregister()));

    // Before the watch there was nothing to know.
    const first = { at: watchedFrom, values: observations.findLast(({ at }) => at <= watchedFrom)?.values ?? new Map() };
    const history = [first, ...observations.filter(({ at }) => at > watchedFrom)];
    expect(violationsOf(writes, history, boundMs, endAt)).toEqual([]);
    // That would say nothing of a client that has seen nothing, or of lives that it need not have seen.
    const seen = new Set(history.flatMap(({ values }) => [...values.values()].filter((port) => Number(port) >= 1_000)));
    expect([writes.length, seen.size > lives]).toEqual([6 * lives, true]);
    const blind = violationsOf(writes, [{ at: watchedFrom, values: new Map() }], boundMs, endAt);
    expect(blind.map(({ kind }) => kind)).toEqual(["stale", "stale", "stale"]);
    const newest = history.at(-1)?.values ?? new Map();
    const keeping = [...history, { at: endAt, values: new Map([...newest, ["instance 1", "1000"]]) }];
    expect(violationsOf(writes, keeping, boundMs, endAt + 1)).toMatchObject([{ endpoint: "instance 1", kind: "backwards" }]);
  });
});
