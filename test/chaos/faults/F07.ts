import { atLeast, atMost, holds, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { churn } from "../rig/known.ts";
import { scriptedConsulShop } from "../rig/registry/scripted-consul.ts";

/** Consul has no leader for a while. */
export const F07 = fault({
  id: "F07",
  name: "consul-no-leader",
  minSeconds: 12,
  clients: 2,
  from: 0.15,
  to: 0.85,
  setup: (world) => scriptedConsulShop(world),
  inject(shop) {
    shop.script = () => ({ status: 500, body: "No cluster leader" });
    shop.wake();
  },
  heal(shop) {
    shop.script = undefined;
  },
  expect(outcome) {
    const errors = (client: string) =>
      outcome.events.filter((each) => each.client === client && each.kind === "discovery-error").map(({ at }) => at);
    const [one = [], other = []] = ["c0", "c1"].map(errors);
    // The first error comes to both at once; afterwards each has its own jitter.
    const inStep = one.slice(1).filter((at) => other.slice(1).some((their) => Math.abs(at - their) < 5)).length;
    return [
      noneFailed(outcome),
      atMost("changes of the endpoints", churn(outcome), 0),
      atLeast("errors seen", Math.min(one.length, other.length), 3),
      atMost("errors seen by each", Math.max(one.length, other.length), 40),
      holds(`of ${one.length - 1} retries of one client ${inStep} in step with the other's, at most half`, inStep * 2 <= one.length - 1),
    ];
  },
});
