import { agreementOfAnswers } from "../rig/agreement.ts";
import { atMost, failures } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { now, pause } from "../rig/now.ts";
import type { Instance } from "../rig/world.ts";

const shares = [0.01, 0.1, 0.5] as const;

/** Every instance answers a random share of the requests with 503: 1 %, then 10 %, then 50 %. */
export const F53 = fault({
  id: "F53",
  name: "random-503",
  minSeconds: 9,
  from: 0.1,
  async setup(world): Promise<{ readonly instances: readonly Instance[]; readonly since: number[] }> {
    return { instances: await world.shop(5, {}, 0), since: [] };
  },
  async inject({ instances, since }) {
    for (const share of shares) {
      const answers = [{ share, status: 503 }];
      await Promise.all(instances.map((instance) => instance.order({ type: "behave", behaviour: { answers } })));
      since.push(now());
      if (share !== 0.5) await pause(2_500);
    }
  },
  expect(outcome, { since }) {
    const ofShares = shares.flatMap((share, index) => {
      const from = since[index] ?? 0;
      const until = since[index + 1] ?? Number.POSITIVE_INFINITY;
      const sent = outcome.ledger.filter(({ sentAt }) => sentAt >= from && sentAt < until);
      const gets = sent.filter(({ method }) => method === "GET");
      const attempts = outcome.attempts.filter(({ startedAt }) => startedAt >= from && startedAt < until);
      // A GET fails when all three attempts do; five standard deviations, since it is chance.
      const expected = gets.length * share ** 3;
      const limit = Math.floor(expected + 5 * Math.sqrt(expected));
      // The budget is a fifth of the requests of ten seconds and ten a second: what the shares before have left counts.
      const budget = 0.2 * outcome.ledger.filter(({ sentAt }) => sentAt >= from - 10_000 && sentAt < until).length + 100;
      return [
        ...(share === 0.5 ? [] : [atMost(`GET failed of ${gets.length} at ${share * 100} %`, failures({ ledger: gets }).length, limit)]),
        atMost(
          `attempts per request at ${share * 100} %`,
          attempts.length / Math.max(1, sent.length),
          1 + budget / Math.max(1, sent.length),
        ),
      ];
    });
    return [...ofShares, ...agreementOfAnswers(outcome)];
  },
});
