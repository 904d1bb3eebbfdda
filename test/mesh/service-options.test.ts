import { describe, expect, test } from "vitest";
import { settleWire } from "../../src/core/connection-options.ts";
import type { OptionRule } from "../../src/core/settings/option-rule.ts";
import { type ServiceOptions, serviceTables, withOverrides } from "../../src/mesh/service-options.ts";

const groups = serviceTables
  .flatMap(({ rules }) => Object.entries(rules as Readonly<Record<string, OptionRule<unknown>>>))
  .filter(([, { table }]) => table !== undefined);

/** Groups that a service replaces as a whole, and why nothing is unprotected by that. */
const replaced: Readonly<Record<string, string>> = {
  balancing: "which of the allowed instances is picked",
  ejection: "which instances rest",
  boundary: "has one option, which must be given",
  token: "of services only",
  retry: "how often, and when: documented as a whole",
  breaker: "when calls are refused because of failures",
  throttle: "when calls are refused because of failures",
  concurrency: "how many calls run",
  hedge: "when a second attempt is made",
  healthCheck: "what is asked of instances",
};

/** A value of each option that is not its default, in a group that protects. */
const values: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  peer: { mode: "strict", name: "orders.internal", id: "spiffe://example.org/orders" },
  connections: {
    max: 3,
    maxRequests: 7,
    maxAgeMs: 5_000,
    maxIdleMs: 50,
    connectTimeoutMs: 70,
    isolation: "per-request",
    refusedAddresses: ["loopback"],
    allowCidrs: ["10.0.0.0/8"],
    denyPorts: [6379],
  },
  decode: { maxRatio: 3 },
};

describe("the options of a service beside those of the mesh", () => {
  test("replace each option, and each group but those that protect", () => {
    const protecting = groups.filter(([, { over }]) => over !== undefined).map(([name]) => name);
    expect(protecting.sort()).toEqual(Object.keys(values).sort());
    expect(groups.map(([name]) => name).filter((name) => !protecting.includes(name))).toEqual(
      expect.arrayContaining(Object.keys(replaced).filter((name) => groups.some(([each]) => each === name))),
    );
    for (const [name, { over }] of groups) expect([name, over !== undefined || name in replaced]).toEqual([name, true]);
    const options: ServiceOptions = { timeoutMs: 5, retry: { maxAttempts: 4, methods: "safe" } };
    expect(withOverrides(options, { retry: { maxAttempts: 2 } })).toEqual({ timeoutMs: 5, retry: { maxAttempts: 2 } });
    expect(withOverrides(options, { timeoutMs: undefined as never })).toEqual(options);
    expect(withOverrides(options)).toEqual(options);
  });

  test.each(
    Object.entries(values).flatMap(([group, options]) =>
      Object.entries(options).flatMap(([kept, value]) =>
        [...Object.keys(options).filter((name) => name !== kept), "nothing"].map((said) => ({ group, kept, value, said })),
      ),
    ),
  )("keep $group.$kept of the mesh where a service says $said of the group", ({ group, kept, value, said }) => {
    const table = groups.find(([name]) => name === group)?.[1].table?.rules ?? {};
    expect(Object.keys(values[group] ?? {}).sort()).toEqual(Object.keys(table).sort());
    const own = { [group]: said === "nothing" ? { [kept]: undefined } : { [said]: values[group]?.[said] } };
    const both = withOverrides({ [group]: { [kept]: value } }, own) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    expect(both[group]?.[kept]).toEqual(value);
    if (said !== "nothing") expect(both[group]?.[said]).toEqual(values[group]?.[said]);
  });

  test("hold an id that a service demands, whatever the mode of the mesh, unless the service says its own", () => {
    const id = "spiffe://example.org/orders";
    const peerOf = (ofMesh: ServiceOptions["peer"] & object, own: ServiceOptions["peer"] & object) =>
      settleWire(withOverrides({ peer: ofMesh }, { peer: own })).peer;
    for (const mode of ["off", "permissive", "strict"] as const) {
      expect(peerOf({ mode }, { id })).toMatchObject({ mode: "strict", id });
      expect(peerOf({ mode }, { name: "orders" })).toMatchObject({ mode, name: "orders" });
      expect(peerOf({ mode: "strict", id }, { mode })).toMatchObject({ mode, id });
    }
    expect(peerOf({ id }, { name: "orders" })).toMatchObject({ mode: "strict", id, name: "orders" });
  });
});
