import { exactly, noneFailed, within } from "../rig/claims.ts";
import { dnsShop } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";

/** The name points to other addresses from one moment to the next. */
export const F32 = fault({
  id: "F32",
  name: "dns-addresses-change",
  minSeconds: 8,
  setup: (world) => dnsShop(world, 6, 3),
  inject(shop) {
    shop.listed = shop.instances.slice(3);
  },
  expect(outcome, { instances }) {
    const ids = instances.slice(3).map(({ endpoint: { host, port } }) => `${host}:${port}`);
    const changed = knownExactly(outcome, ids, outcome.injectedAt);
    const old = instances.slice(0, 3).map(({ endpoint: { host, port } }) => `${host}:${port}`);
    const late = outcome.attempts.filter(
      ({ upstream, startedAt }) => old.includes(upstream) && startedAt > outcome.injectedAt + (changed ?? 0) + 1,
    );
    return [noneFailed(outcome), within("changed", changed, 2_000), exactly("attempts at old addresses afterwards", late.length, 0)];
  },
});
