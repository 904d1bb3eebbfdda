import { atMost, exactly, holds, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { now, pause } from "../rig/now.ts";
import { consulShop } from "../rig/registry/consul.ts";

/** The check of one of five instances goes from passing to warning, to critical and back; it weighs 10 and, with a warning, 1. */
export const F16 = fault({
  id: "F16",
  name: "consul-check-states",
  needs: ["consul"],
  minSeconds: 12,
  from: 0.05,
  async setup(world) {
    const shop = await consulShop(world, 5);
    for (const { endpoint } of shop.instances) {
      const Weights = { Passing: 10, Warning: 1 };
      await shop.consul.registerService({
        Name: "shop",
        ID: endpoint.id,
        Address: endpoint.host,
        Port: endpoint.port,
        Weights,
        Check: { TTL: "60s", Status: "passing" },
      });
    }
    // The picker that goes by weights alone.
    world.load = { ...world.load, picker: "weighted" };
    return { ...shop, since: [] as number[] };
  },
  async inject({ consul, since }) {
    for (const status of ["passing", "warning", "critical", "passing"] as const) {
      await consul.setCheck("service:i0", status);
      // Until it is known everywhere.
      await pause(700);
      since.push(now());
      await pause(1_800);
      since.push(now());
    }
  },
  expect(outcome, { since }) {
    const share = (phase: number) => {
      const during = outcome.attempts.filter(
        ({ startedAt }) => startedAt >= (since[2 * phase] ?? 0) && startedAt < (since[2 * phase + 1] ?? 0),
      );
      return { all: during.length, own: during.filter(({ upstream }) => upstream === "i0").length };
    };
    const near = (what: string, { all, own }: { readonly all: number; readonly own: number }, wanted: number) => {
      const sigma = Math.sqrt(all * wanted * (1 - wanted));
      return holds(
        `${what}: ${own} of ${all}, must be ${Math.round(all * wanted)} ± ${Math.ceil(3 * sigma)}`,
        Math.abs(own - all * wanted) <= 3 * sigma + 1,
      );
    };
    return [
      noneFailed(outcome),
      near("share while passing", share(0), 1 / 5),
      near("share with a warning", share(1), 1 / 41),
      exactly("attempts while critical", share(2).own, 0),
      atMost("attempts once it passes again", share(3).own, Math.ceil(share(3).all / 5 + 3 * Math.sqrt(share(3).all * 0.16) + 1)),
      holds(`it has work again: ${share(3).own}`, share(3).own > 0),
    ];
  },
});
