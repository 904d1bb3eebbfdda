import type { BalancingOptions } from "../../src/balancer/balancing-options.ts";
// Many clients and many instances: how evenly is the load shared, does everybody run after the same instance, how many connections are there.
import type { SimulatedClient, SimulatedServer, SimulationResult } from "../../src/testing/index.ts";
import type { Case } from "./case.ts";

interface Definition {
  readonly about: string;
  readonly instances: number;
  readonly clients: number;
  readonly ratePerSecond: number;
  /** Requests an instance works on at a time; without it clients do not feel each other. */
  readonly workers?: number;
  readonly subset?: (client: SimulatedClient) => BalancingOptions["subset"];
  /** In how many runs, each with its part of the clients; only where clients do not feel each other. */
  readonly groups?: number;
  /** Instances are replaced one after another; each refuses connections for so long before discovery knows. */
  readonly lateMs?: number;
}

const durationMs = 20_000;
const size = 20;

const definitions: Readonly<Record<string, Definition>> = {
  "100x100": { about: "half of what the instances can do", instances: 100, clients: 100, ratePerSecond: 10_000, workers: 4 },
  "100x100-rolling": {
    about: "all instances are replaced one after another, each 200 ms before discovery knows",
    instances: 100,
    clients: 100,
    ratePerSecond: 10_000,
    workers: 4,
    lateMs: 200,
  },
  "1000x1000": { about: "40 % of what the instances can do", instances: 1_000, clients: 1_000, ratePerSecond: 20_000, workers: 1 },
  "1000x1000-subset": {
    about: `each client uses ${size} instances of its own choice (gRFC A68)`,
    instances: 1_000,
    clients: 1_000,
    ratePerSecond: 20_000,
    workers: 1,
    subset: ({ index }) => ({ size, seed: index }),
  },
  "1000x1000-aperture": {
    about: `each client uses ${size} instances by its place among the clients`,
    instances: 1_000,
    clients: 1_000,
    ratePerSecond: 20_000,
    workers: 1,
    subset: ({ index }) => ({ size, client: { index, count: 1_000 } }),
  },
  "10000x1000": {
    about: "in 25 runs of forty clients each, since ten million upstreams fit into no process",
    instances: 10_000,
    clients: 1_000,
    ratePerSecond: 20_000,
    groups: 25,
  },
};

/** The instances of a definition, or each with its successor, all of them within the time. */
function serversOf({ instances, workers, lateMs }: Definition): readonly SimulatedServer[] {
  const alike = { ...(workers && { workers }), answers: { latencyMs: { exponentialMs: 20 } } };
  if (lateMs === undefined) return [{ name: "instance", copies: instances, ...alike }];
  return Array.from({ length: instances }, (_, index) => {
    const leavesMs = Math.round((durationMs * (index + 0.5)) / instances);
    const answers = [alike.answers, { fromMs: Math.max(0, leavesMs - lateMs), fault: "refuse" }] as const;
    return [
      { ...alike, name: `instance-${index + 1}`, answers, listedUntilMs: leavesMs },
      { ...alike, name: `successor-${index + 1}`, listedFromMs: leavesMs },
    ];
  }).flat();
}

/** Variance of the load of the instances as a multiple of its mean, over all parts of the time: 1 as by pure chance, 0 when all have the same. */
function dispersionOf({ timeline }: SimulationResult): number {
  const ratios = timeline.map(({ attempts }) => {
    const mean = attempts.reduce((sum, each) => sum + each, 0) / attempts.length;
    const variance = attempts.reduce((sum, each) => sum + (each - mean) ** 2, 0) / attempts.length;
    return mean === 0 ? 0 : variance / mean;
  });
  return ratios.reduce((sum, each) => sum + each, 0) / Math.max(1, ratios.length);
}

/** Cluster sizes; run when they are asked for. */
export const clusterCases: readonly Case[] = Object.entries(definitions).map(([name, definition]) => {
  const { about, instances, clients, ratePerSecond, subset, groups = 1 } = definition;
  return {
    name: `cluster/${name}`,
    about: `${instances} instances of 20 ms, ${clients} clients, ${ratePerSecond} requests per second; ${about}`,
    isLarge: true,
    pickers: ["roundRobin", "random", "leastRequest", "peakEwma", "adaptive", "prequal"],
    groups,
    scenario: {
      servers: serversOf(definition),
      arrivals: { ratePerSecond: ratePerSecond / groups },
      durationMs,
      clients: clients / groups,
      timelineParts: 20,
    },
    options: (client: SimulatedClient) => (subset === undefined ? {} : { balancing: { subset: subset(client) } }),
    extra: (result) => {
      const connections = result.servers.map((server) => server.connections);
      return {
        "busiest × mean": result.imbalance,
        dispersion: dispersionOf(result),
        connections: connections.reduce((sum, each) => sum + each, 0) / connections.length,
        most: connections.reduce((most, each) => Math.max(most, each), 0),
      };
    },
  };
});
