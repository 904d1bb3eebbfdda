import { describe, expect, it } from "vitest";
import { type BalancingOptions, balancingOptions } from "../../src/balancer/balancing-options.ts";

const check = (options: unknown) => () => balancingOptions.checkValues("services.orders.", options as BalancingOptions);

describe("the rules of balancing", () => {
  it.each<[BalancingOptions]>([
    [{}],
    [{ zoneAware: false, subset: false, slowStart: false }],
    [{ priorities: {}, zoneAware: {}, slowStart: {}, subset: { size: 1 } }],
    [{ priorities: { overprovisioning: Number.POSITIVE_INFINITY, panicRatio: 0 } }],
    [{ zoneAware: { minEndpoints: 1, callers: { a: 0, b: 2.5 } } }],
    [{ zoneAware: { callers: "web" } }],
    [{ subset: { size: 20, seed: 2 ** 32 - 1 } }],
    [{ subset: { size: 20, client: { index: 0, count: 1 } } }],
    [{ slowStart: { windowMs: 1, minRatio: 1, aggression: 0.5 } }],
  ])("takes %j", (options) => {
    expect(check(options)).not.toThrow();
  });

  it.each<[unknown, string]>([
    [{ priorities: 1.4 }, "services.orders.priorities must be an object with options, not 1.4"],
    [{ priorities: { panic: 1 } }, 'services.orders.priorities has no option "panic"'],
    [{ priorities: { overprovisioning: 0.5 } }, "services.orders.priorities.overprovisioning must be at least 1, not 0.5"],
    [{ priorities: { panicRatio: 50 } }, "services.orders.priorities.panicRatio must be from 0 to 1, not 50"],
    [{ zoneAware: true }, "services.orders.zoneAware must be an object with options, not true"],
    [{ zoneAware: { minEndpoints: 0 } }, "services.orders.zoneAware.minEndpoints must be at least 1, not 0"],
    [{ zoneAware: { callers: "" } }, "services.orders.zoneAware.callers must be a string that is not empty"],
    [{ zoneAware: { callers: ["a"] } }, "services.orders.zoneAware.callers must be numbers by zone or the name of a service"],
    [{ zoneAware: { callers: { a: "3" } } }, 'services.orders.zoneAware.callers.a must be a number, not "3"'],
    [{ zoneAware: { callers: { a: -1 } } }, "services.orders.zoneAware.callers.a must be at least 0, not -1"],
    [{ zoneAware: { callers: { a: Number.POSITIVE_INFINITY } } }, "services.orders.zoneAware.callers.a must be finite"],
    [{ zoneAware: { callers: { a: undefined } } }, "services.orders.zoneAware.callers.a must be a number"],
    [{ subset: 5 }, "services.orders.subset must be an object with options, not 5"],
    [{ subset: {} }, "services.orders.subset.size must be a number"],
    [{ subset: { size: 2.5 } }, "services.orders.subset.size must be a whole number, not 2.5"],
    [{ subset: { size: 2, seed: 2 ** 32 } }, "services.orders.subset.seed must be from 0 to 4294967295, not 4294967296"],
    [{ subset: { size: 2, client: { index: 3, count: 3 } } }, "services.orders.subset.client.index must be from 0 to 2, not 3"],
    [{ subset: { size: 2, client: { index: 0 } } }, "services.orders.subset.client.count must be a number"],
    [{ subset: { size: 2, client: { count: 2 } } }, "services.orders.subset.client.index must be a number"],
    [{ subset: { size: 2, seed: 1, client: { index: 0, count: 2 } } }, "services.orders.subset.client takes no seed beside it"],
    [{ slowStart: true }, "services.orders.slowStart must be an object with options, not true"],
    [{ slowStart: { window: 5 } }, 'services.orders.slowStart has no option "window"'],
    [{ slowStart: { windowMs: 0 } }, "services.orders.slowStart.windowMs must be at least 1, not 0"],
    [{ slowStart: { minRatio: 0 } }, "services.orders.slowStart.minRatio must be from 0.001 to 1, not 0"],
    [{ slowStart: { aggression: Number.NaN } }, "services.orders.slowStart.aggression must be a number, not NaN"],
  ])("refuses %j", (options, message) => {
    expect(check(options)).toThrow(message);
  });
});
