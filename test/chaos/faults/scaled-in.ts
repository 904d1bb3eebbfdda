import { atMost, noneFailed, within } from "../rig/claims.ts";
import { type Claim, type Fault, fault, type Outcome } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";
import { consulShop } from "../rig/registry/consul.ts";

/** Number of instances that stay, of eight. */
export const staying = 2;

/** A row in which a real Consul is told that six of eight instances have left. */
export function consulScaledIn(id: string, name: string, acl: boolean): Fault {
  return fault({
    id,
    name,
    needs: ["consul"],
    minSeconds: 10,
    from: 0.2,
    async setup(world) {
      const shop = await consulShop(world, 8, {}, { acl });
      const { url, token } = shop.consul;
      world.load = { discovery: { kind: "consul", options: { url, ...(token === undefined ? {} : { token }) } } };
      return shop;
    },
    async inject({ consul, instances }) {
      for (const { endpoint } of instances.slice(staying)) await consul.deregisterService(endpoint.id);
    },
    expect: (outcome, { instances }) =>
      scaledIn(
        outcome,
        instances.map(({ endpoint }) => endpoint.id),
        1_000,
      ),
  });
}

/**
 * Instances that have left properly get no request from a second after `delayMs` on, and are known no more soon after; none fails.
 * @param ids the endpoints as the clients know them, those that stay first
 */
export function scaledIn(outcome: Outcome, ids: readonly string[], delayMs: number): readonly Claim[] {
  const gone = ids.slice(staying);
  const allowedMs = delayMs + outcome.lagMs;
  const late = outcome.attempts.filter(
    ({ upstream, startedAt }) => gone.includes(upstream) && startedAt > outcome.injectedAt + 1_000 + allowedMs,
  );
  return [
    noneFailed(outcome),
    atMost("attempts at instances that had left", late.length, 0),
    within("known no more", knownExactly(outcome, ids.slice(0, staying)), 1_000 + delayMs),
  ];
}
