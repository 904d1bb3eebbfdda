import { expect, it } from "vitest";
import { agreement, agreementOfAnswers } from "./rig/agreement.ts";
import { type Fault, fault } from "./rig/fault.ts";
import { closedEndpoint } from "./rig/raw.ts";
import { runFault } from "./rig/run-fault.ts";

// A row is run again where the machine had no time for it.
const patient = { timeout: 90_000 };
const run = (row: Fault) => runFault(row, { seed: 11, seconds: 4, rps: 150, clients: 2, has: () => true });

it("the metrics of the clients agree with the ledger and the journals when instances answer 503", patient, async () => {
  const { broken, reason, figures, outcome } = await run(
    fault({
      id: "X4",
      name: "random-503",
      async setup(world) {
        world.load = { hasMetrics: true };
        return await world.shop(3);
      },
      async inject(instances) {
        const behaviour = { answers: [{ share: 0.3, status: 503 }] };
        await Promise.all(instances.map((instance) => instance.order({ type: "behave", behaviour })));
      },
      expect: (outcome) => [...agreement(outcome), ...agreementOfAnswers(outcome)],
    }),
  );
  expect({ broken, reason }).toEqual({ broken: [], reason: undefined });
  expect(figures?.failed).toBeGreaterThan(0);
  expect(outcome?.attempts.length).toBeGreaterThan(figures?.sent ?? 0);
});

it("… when nobody listens at one of the endpoints", patient, async () => {
  const { broken, reason, outcome } = await run(
    fault({
      id: "X5",
      name: "port-closed",
      async setup(world) {
        await world.shop(2, {}, 0);
        const closed = await closedEndpoint("closed");
        world.load = { hasMetrics: true, discovery: { kind: "static", endpoints: [closed, ...world.endpoints] } };
      },
      inject: () => {},
      expect: (outcome) => [...agreement(outcome), ...agreementOfAnswers(outcome)],
    }),
  );
  expect({ broken, reason }).toEqual({ broken: [], reason: undefined });
  expect(outcome?.attempts.some(({ upstream }) => upstream === "closed")).toBe(true);
});

it("… when an instance is killed, and when callers give up", patient, async () => {
  const { broken, reason, figures } = await run(
    fault({
      id: "X6",
      name: "sigkill-instance",
      async setup(world) {
        world.load = { hasMetrics: true, abortShare: 0.1 };
        return await world.shop(3);
      },
      inject: async ([first]) => await first?.kill(),
      heal: async ([first]) => await first?.restart(),
      expect: agreement,
    }),
  );
  expect({ broken, reason }).toEqual({ broken: [], reason: undefined });
  expect(figures?.aborted).toBeGreaterThan(0);
});
