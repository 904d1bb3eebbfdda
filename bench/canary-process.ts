// One of the processes of the bench `canary`: calls a split 5 times a second, and tells its parent what it has counted. Arguments: URL of Consul, ports, key.

import { createMesh, staticDiscovery } from "../src/index.ts";
import { consul } from "../src/registries/consul.ts";
import type { Canary } from "../src/routing/canary/canary.ts";
import type { StepCounts } from "../src/routing/canary/canary-counts.ts";
import { answerParent } from "./children.ts";

/** The answer to any question of the parent. */
export interface CanaryAnswer {
  readonly state: string;
  readonly share: number;
  readonly counts: readonly StepCounts[];
  readonly atMs: number;
}

const [url = "", stable = "", next = "", sharedKey = ""] = process.argv.slice(2);
const perSecond = 5;
const registry = consul({ url });
const mesh = createMesh({
  discovery: staticDiscovery({
    orders: [
      { host: "127.0.0.1", port: Number(stable), metadata: { version: "1.0.0" } },
      { host: "127.0.0.1", port: Number(next), metadata: { version: "2.0.0" } },
    ],
  }),
  canaryState: registry.canaryState(),
  retry: false,
  breaker: false,
  routes: [
    {
      name: "canary",
      match: { service: "orders" },
      split: { targets: [{ subset: { version: "1" } }, { subset: { version: "2" } }], canary: { steps: [25], minCalls: 50, sharedKey } },
    },
  ],
});
const canary = mesh.canary("canary") as Canary;
setInterval(() => {
  mesh.fetch("orders/1").then(
    (response) => response.arrayBuffer(),
    () => {},
  );
}, 1_000 / perSecond);

answerParent<object, CanaryAnswer>({ state: "", share: 0, counts: [], atMs: 0 }, () => {
  const { state, share } = canary.reading();
  return { state, share, counts: canary.counts, atMs: Date.now() };
});
