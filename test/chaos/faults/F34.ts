import { record } from "../../discovery/dns/dns-responder.ts";
import { atMost, exactly, failures, noneFailed, openBetween, within } from "../rig/claims.ts";
import { srvResponder } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import { now, pause } from "../rig/now.ts";
import { isOk } from "../rig/reconcile.ts";

/** All instances of the preferred SRV priority are killed and come back; at last the service is said not to be there. */
export const F34 = fault({
  id: "F34",
  name: "srv-priorities",
  minSeconds: 12,
  from: 0.15,
  to: 0.35,
  async setup(world) {
    const instances = await world.shop(4, {}, 0);
    const state = {
      instances,
      isAbsent: false,
      absentAt: 0,
      preferred: instances.slice(0, 2).map(({ endpoint }) => `127.0.0.1:${endpoint.port}`),
    };
    const responder = await srvResponder(world, () => {
      if (state.isAbsent) return [record("SRV", "_shop._tcp.test", { priority: 0, weight: 0, port: 0, target: "." }, 1)];
      return instances.map(({ endpoint }, index) =>
        record("SRV", "_shop._tcp.test", { priority: index < 2 ? 10 : 20, weight: 1, port: endpoint.port, target: "host.test" }, 1),
      );
    });
    world.load = { discovery: { kind: "dns", options: { type: "SRV", name: "_{service}._tcp.test", servers: [responder.address] } } };
    return state;
  },
  inject: async ({ instances }) => void (await Promise.all(instances.slice(0, 2).map((instance) => instance.kill()))),
  async heal(state) {
    await Promise.all(state.instances.slice(0, 2).map((instance) => instance.restart()));
    await pause(4_000);
    state.isAbsent = true;
    state.absentAt = now();
  },
  expect(outcome, { instances, preferred, absentAt }) {
    const { injectedAt } = outcome;
    const before = outcome.ledger.filter(({ sentAt }) => sentAt < absentAt);
    const gone = Math.max(...instances.map(({ goneAt = 0 }) => goneAt));
    const isPreferred = (upstream: string) => preferred.includes(upstream);
    const early = outcome.attempts.filter(({ startedAt }) => startedAt < injectedAt);
    const over = outcome.attempts.find(
      ({ upstream, startedAt, isFailed }) => !isPreferred(upstream) && startedAt >= injectedAt && isFailed === false,
    );
    const back = outcome.attempts.filter(
      ({ upstream, startedAt }) => isPreferred(upstream) && startedAt > absentAt - 500 && startedAt < absentAt,
    );
    const absent = outcome.ledger.find(({ sentAt, error }) => sentAt >= absentAt && error === "ERR_MESH_NO_ENDPOINTS");
    const last = outcome.ledger.filter((entry) => isOk(entry) && entry.sentAt >= absentAt).at(-1);
    return [
      exactly("attempts at the other priority before", early.filter(({ upstream }) => !isPreferred(upstream)).length, 0),
      noneFailed({ ...outcome, ledger: before }, "GET"),
      atMost(
        "POST failed, of those in flight at the kill",
        failures({ ledger: before }, "POST").length,
        openBetween(outcome, preferred, "POST", injectedAt, gone).length,
      ),
      within("failover", over === undefined ? undefined : over.startedAt - injectedAt, 100),
      atMost("back at the preferred ones: attempts missing", back.length > 0 ? 0 : 1, 0),
      within("absent", absent === undefined ? undefined : absent.sentAt - absentAt, 2_000),
      within("last call answered after it was absent", (last?.sentAt ?? absentAt) - absentAt, 2_000),
    ];
  },
});
