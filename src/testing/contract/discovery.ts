import assert from "node:assert/strict";
import type { ContractEndpoint, ContractTest } from "./contract.ts";
import { type DiscoveryCase, discoveryCases } from "./discovery-cases.ts";
import type { DiscoveryFeature, DiscoveryHarness } from "./discovery-harness.ts";
import { discoveryHintCases } from "./discovery-hint-cases.ts";
import { WatchReader } from "./watch-reader.ts";

export type { DiscoveryFeature, DiscoveryHarness } from "./discovery-harness.ts";

/** Options of {@link discoveryContract}. */
export interface DiscoveryContractOptions {
  /** Features that the source under test lacks; the cases about them are left out. */
  readonly lacks?: readonly DiscoveryFeature[];
}

/**
 * The cases that every discovery adapter passes, each with a harness of its own from `create`. A case whose feature the harness does not
 * have fails, unless `options.lacks` leaves it out: no case passes without having checked something.
 */
export function discoveryContract(
  create: () => Promise<DiscoveryHarness>,
  options: DiscoveryContractOptions = {},
): readonly ContractTest[] {
  const { lacks = [] } = options;
  return [...discoveryCases, ...discoveryHintCases]
    .filter(({ needs = [] }) => !needs.some((feature) => lacks.includes(feature)))
    .map(({ name, run }) => ({ name, run: () => runCase(create, run) }));
}

async function runCase(create: () => Promise<DiscoveryHarness>, run: DiscoveryCase["run"]): Promise<void> {
  const harness = await create();
  const { discovery, service, unknownService, otherService, withinMs = 4_000, stopWithinMs = 1_000 } = harness;
  const readers: WatchReader[] = [];
  try {
    const [a, b, c] = harness.instances ?? defaultInstances;
    assert.ok(a && b && c, "a harness needs at least three instances");
    await run({
      discovery,
      service,
      ...(unknownService === undefined ? {} : { unknownService }),
      ...(otherService === undefined ? {} : { otherService }),
      ...(harness.breakSource ? { breakSource: () => harness.breakSource?.() ?? Promise.resolve() } : {}),
      ...(harness.healSource ? { healSource: () => harness.healSource?.() ?? Promise.resolve() } : {}),
      set: (endpoints, name) => harness.set(endpoints, name),
      close: () => harness.close(),
      withinMs,
      stopWithinMs,
      a,
      b,
      c,
      watch(name = service) {
        const reader = new WatchReader(discovery, name);
        readers.push(reader);
        return reader;
      },
    });
    for (const reader of readers) await reader.stop(stopWithinMs);
  } finally {
    // Also after a failed case, which its watches would outlive.
    await Promise.allSettled(readers.map((reader) => reader.stop(stopWithinMs)));
    await harness.close();
  }
}

const defaultInstances: readonly ContractEndpoint[] = [
  { host: "127.0.0.1", port: 8081 },
  { host: "127.0.0.2", port: 8082 },
  { host: "127.0.0.3", port: 8083 },
];
