import assert from "node:assert/strict";
import type { Endpoint } from "../../core/endpoint.ts";
import type { ContractEndpoint } from "./contract.ts";
import { sameAddresses } from "./eventually.ts";
import type { WatchReader } from "./watch-reader.ts";

/** Fails unless `set` holds exactly the addresses of `expected`. */
export function assertSame(set: readonly Endpoint[], expected: readonly ContractEndpoint[], what: string): void {
  assert.ok(sameAddresses(set, expected), `${what} is [${describe(set)}], expected [${describe(expected)}]`);
}

/** Resolves once the newest set holds exactly the addresses of `expected`. */
export function untilSame(reader: WatchReader, expected: readonly ContractEndpoint[], withinMs: number): Promise<readonly Endpoint[]> {
  return reader.until(`the set [${describe(expected)}]`, (set) => sameAddresses(set, expected), withinMs);
}

/** Fails when one of the sets so far lacks one of `expected`. */
export function assertAlwaysHeld(reader: WatchReader, expected: readonly ContractEndpoint[]): void {
  for (const set of reader.sets) {
    for (const endpoint of expected) {
      const isHeld = set.some(({ host, port }) => host === endpoint.host && port === endpoint.port);
      assert.ok(isHeld, `a set is [${describe(set)}], without ${describe([endpoint])}, which never left: sets must be complete`);
    }
  }
}

/** Fails unless every field is in the range that {@link Endpoint} gives. */
export function assertValid({ id, host, port, weight }: Endpoint): void {
  assert.ok(typeof id === "string" && id !== "", `an id is ${JSON.stringify(id)}`);
  assert.ok(typeof host === "string" && /^[^\s/@[\]]+$/.test(host), `the host of ${id} is ${JSON.stringify(host)}`);
  assert.ok(Number.isInteger(port) && port >= 1 && port <= 65_535, `the port of ${id} is ${JSON.stringify(port)}`);
  const isWeight = weight === undefined || (typeof weight === "number" && weight >= 0 && weight <= 65_535);
  assert.ok(isWeight, `the weight of ${id} is ${JSON.stringify(weight)}`);
}

/** The id of each address. */
export function idsByAddress(set: readonly Endpoint[]): ReadonlyMap<string, string> {
  return new Map(set.map((endpoint) => [describe([endpoint]), endpoint.id]));
}

/** The weight of an instance in `set`. */
export function weightOf(set: readonly Endpoint[], { host, port }: ContractEndpoint): number | undefined {
  return set.find((endpoint) => endpoint.host === host && endpoint.port === port)?.weight;
}

/** The addresses of a set, for messages. */
export function describe(set: readonly { readonly host: string; readonly port: number }[]): string {
  return set.map(({ host, port }) => `${host}:${port}`).join(", ");
}
