import { startEureka } from "../../servers/eureka.ts";
import { exactly, failures, latency, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { now, until } from "../rig/now.ts";
import { refreshMs, registrantOf } from "../rig/registry/eureka.ts";

/** Eureka is down when instances and clients start, and comes up later. */
export const F19 = fault({
  id: "F19",
  name: "eureka-down-at-start",
  needs: ["eureka"],
  minSeconds: 16,
  maxRps: 60,
  from: 0.01,
  to: 0.3,
  async setup(world) {
    const eureka = world.own(await startEureka());
    await eureka.kill();
    await world.shop(3, { registration: { kind: "eureka", options: registrantOf(eureka), mayWait: true } }, 0);
    world.load = { discovery: { kind: "eureka", options: { servers: [eureka.url], refreshMs } } };
    return { eureka, upAt: 0, registeredAfterMs: undefined as number | undefined };
  },
  inject: () => {},
  async heal(state) {
    await state.eureka.restart();
    state.upAt = now();
    await until("all have registered", async () => (await listed(state.eureka)) === 3, 60_000);
    state.registeredAfterMs = now() - state.upAt;
  },
  expect(outcome, { upAt, registeredAfterMs }) {
    const early = outcome.ledger.filter(({ sentAt }) => sentAt < upAt);
    const codes = [...new Set(failures(outcome).map(({ error }) => error))].join();
    return [
      exactly("errors", codes, "ERR_MESH_NO_ENDPOINTS"),
      exactly("failed with maybeExecuted", outcome.figures.ambiguous, 0),
      within("the slowest error", latency(failures({ ledger: early }), 1), 1_000),
      within("registered", registeredAfterMs, 5_000),
      within(
        "recovery",
        outcome.figures.worstRecoveryMs === Number.POSITIVE_INFINITY
          ? undefined
          : outcome.figures.worstRecoveryMs - (upAt - outcome.injectedAt),
        10_000,
      ),
    ];
  },
});

async function listed(eureka: { get(path: string): Promise<unknown> }): Promise<number> {
  const answer = (await eureka.get("/apps/shop").catch(() => undefined)) as { application?: { instance?: unknown } } | undefined;
  const found = answer?.application?.instance;
  return Array.isArray(found) ? found.length : found === undefined ? 0 : 1;
}
