import { atLeast, atMost, latency, noneFailed, within } from "../rig/claims.ts";
import { dnsShop, rcodes, type Wrong } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import { churn } from "../rig/known.ts";

const wrongs: readonly Wrong[] = ["silence", "wrong-id", "garbage", { rcode: rcodes.refused }];

/** The DNS server says nothing, says it under a wrong id, says garbage, refuses. */
export const F29 = fault({
  id: "F29",
  name: "dns-nonsense",
  minSeconds: 10,
  from: 0.1,
  setup: (world) => dnsShop(world, 4),
  inject(shop) {
    shop.script = (number) => wrongs[number % wrongs.length];
  },
  expect: (outcome, { asked }) => [
    noneFailed(outcome),
    atMost("changes of the endpoints", churn(outcome), 0),
    atLeast("questions meanwhile", asked.filter((at) => at > outcome.injectedAt).length, 4),
    // Nobody waits for DNS: a question that gets no answer takes a second and a half.
    within("the slowest call", latency(outcome.ledger, 1), 200),
  ],
});
