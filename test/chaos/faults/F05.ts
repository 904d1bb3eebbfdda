import { atMost, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { scriptedConsulShop } from "../rig/registry/scripted-consul.ts";

const indexes: readonly Readonly<Record<string, string>>[] = [
  { "x-consul-index": "0" },
  {},
  { "x-consul-index": "abc" },
  { "x-consul-index": String(2n ** 70n) },
];

/** Consul answers every question at once, with an index that is none or none that can be waited at. */
export const F05 = fault({
  id: "F05",
  name: "consul-index-nonsense",
  minSeconds: 8,
  from: 0.2,
  to: 0.85,
  setup: (world) => scriptedConsulShop(world),
  inject(shop) {
    let answers = 0;
    shop.script = () => ({ headers: indexes[answers++ % indexes.length] ?? {} });
    shop.wake();
  },
  heal(shop) {
    shop.script = undefined;
  },
  expect(outcome, { asked }, world) {
    const { injectedAt, healedAt = 0 } = outcome;
    const during = asked.filter(({ at }) => at >= injectedAt && at < healedAt);
    const seconds = (healedAt - injectedAt) / 1_000;
    return [noneFailed(outcome), atMost("questions a second by client", during.length / seconds / world.clients.length, 2.5)];
  },
});
