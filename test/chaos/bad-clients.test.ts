import { expect, it } from "vitest";
import { noneFailed } from "./rig/claims.ts";
import { type Fault, fault } from "./rig/fault.ts";
import { scriptedConsulShop } from "./rig/registry/scripted-consul.ts";
import { runFault } from "./rig/run-fault.ts";

const run = (row: Fault) => runFault(row, { seed: 7, seconds: 3, rps: 100, clients: 1, has: () => true });

it("the rig notices a client that sends POSTs again that may have been executed", async () => {
  const result = await run(
    fault({
      id: "X1",
      name: "slow-instance",
      async setup(world) {
        const instances = await world.shop(3);
        world.load = { sender: "blind" };
        return instances;
      },
      inject: async ([first]) => await first?.order({ type: "behave", behaviour: { delayMs: 900 } }),
      expect: () => [],
    }),
  );
  expect(result.status).toBe("fail");
  expect(result.figures?.duplicated).toBeGreaterThan(0);
});

it("the rig notices a client that forgets a request", async () => {
  const result = await run(
    fault({
      id: "X2",
      name: "everything-gone",
      async setup(world) {
        world.load = { sender: "forgetful", patienceMs: 500 };
        return await world.shop(1);
      },
      inject: async ([first]) => await first?.kill(),
      expect: () => [],
    }),
  );
  expect(result.status).toBe("fail");
  expect(result.figures?.lost).toBeGreaterThan(0);
});

const emptied = (emptyPolicy: "trust" | "quarantine"): Fault =>
  fault({
    id: "X3",
    name: "registry-lost-its-data",
    async setup(world) {
      const shop = await scriptedConsulShop(world, 2);
      world.load = { ...world.load, mesh: { emptyPolicy } };
      return shop;
    },
    inject(shop) {
      // A Consul that was restarted without its data, before it knows of its leader.
      shop.script = () => ({ body: "[]", headers: { "x-consul-index": "1", "x-consul-knownleader": "false" } });
      shop.wake();
    },
    expect: (outcome) => [noneFailed(outcome)],
  });

it("the rig notices a client that takes an empty registry at its word, and one that does not passes", async () => {
  const [trusting, careful] = await Promise.all([run(emptied("trust")), run(emptied("quarantine"))]);
  expect(trusting.status).toBe("fail");
  expect(trusting.broken.map(({ what }) => what).join()).toContain("ERR_MESH_NO_ENDPOINTS");
  expect(careful.broken).toEqual([]);
});
