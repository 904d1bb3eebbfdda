import { atMost, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { churn } from "../rig/known.ts";
import { scriptedConsulShop } from "../rig/registry/scripted-consul.ts";

/** Consul answers with nothing because the token may see nothing. */
export const F10 = fault({
  id: "F10",
  name: "consul-filtered-by-acls",
  setup: (world) => scriptedConsulShop(world),
  inject(shop) {
    shop.script = () => ({ body: "[]", headers: { "x-consul-index": "200", "x-consul-results-filtered-by-acls": "true" } });
    shop.wake();
  },
  expect: (outcome) => [noneFailed(outcome), atMost("changes of the endpoints", churn(outcome), 0)],
});
