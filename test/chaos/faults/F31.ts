import { atLeast, atMost, noneFailed } from "../rig/claims.ts";
import { dnsShop } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";

/** Records live for no time at all, then for 68 years, which as a signed number is a negative one. */
export const F31 = fault({
  id: "F31",
  name: "dns-ttl-extremes",
  minSeconds: 10,
  from: 0.1,
  to: 0.6,
  setup: (world) => dnsShop(world, 4),
  inject(shop) {
    shop.ttlS = 0;
  },
  heal(shop) {
    shop.ttlS = 2 ** 31;
  },
  expect(outcome, { asked }, world) {
    const { injectedAt, healedAt = 0 } = outcome;
    const rate = (from: number, to: number) =>
      asked.filter((at) => at >= from && at < to).length / ((to - from) / 1_000) / world.clients.length;
    return [
      noneFailed(outcome),
      // A question that was under way at either end counts as one too many.
      atMost("questions a second at TTL 0", rate(injectedAt, healedAt), 1.25),
      atLeast("questions a second at TTL 0", rate(injectedAt + 1_000, healedAt), 0.4),
      atMost("questions a second at TTL 2^31", rate(healedAt, injectedAt + 0.9 * outcome.seconds * 1_000), 1.25),
    ];
  },
});
