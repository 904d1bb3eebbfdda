import { CompiledPolicy } from "../src/authorization/compiled-policy.ts";
import { checkPolicy } from "../src/authorization/text/read-policy.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

const rules = 1_000;
const decisions = 200_000;

/** Rules as a large service has them: each of a caller, a few methods and a template below one prefix; one in ten denies. */
const policy = checkPolicy({
  rules: Array.from({ length: rules }, (_, index) => ({
    id: `rule-${index}`,
    action: index % 10 === 9 ? "deny" : "allow",
    from: {
      identities: [index % 3 === 0 ? `spiffe://example.org/team-${index}/` : `spiffe://example.org/team-${index % 50}/service-${index}`],
    },
    to: { methods: ["GET", "HEAD"], paths: [`/v1/{tenant}/resource-${index % 200}/{id}`, `/v1/public/${index}/**`] },
  })),
});

const requests = Array.from({ length: 1_024 }, (_, index) => ({
  method: "GET",
  path: `/v1/t${index % 7}/resource-${index % 200}/${index}`,
  headerValues: () => [],
  caller: {
    identity: index % 3 === 0 ? `spiffe://example.org/team-${index}/api` : `spiffe://example.org/team-${index % 50}/service-${index}`,
    address: "10.0.0.1",
    tokens: [],
  },
}));

/** Each rule by itself, in the order of the list: the floor of what a loop over them costs. */
const single = policy.rules.map((rule) => new CompiledPolicy({ rules: [rule] }));

/** Measures a decision among 1,000 rules, beside asking each of them. */
export async function authorization(rounds = 9): Promise<BenchReport> {
  const compiled = new CompiledPolicy(policy);
  let allowed = 0;
  const timed = (count: number, decide: (index: number) => boolean): number => {
    const startedAt = performance.now();
    for (let index = 0; index < count; index++) if (decide(index)) allowed++;
    return ((performance.now() - startedAt) * 1_000) / count;
  };
  const requestAt = (index: number) => requests[index & 1_023] as (typeof requests)[number];
  const measured = await measureRounds("authorization", rounds, {
    index: async () => timed(decisions, (index) => compiled.decide(requestAt(index), requestAt(index).caller, 0).allowed),
    "one after the other": async () =>
      timed(decisions / 1_000, (index) => single.some((each) => each.decide(requestAt(index), requestAt(index).caller, 0).allowed)),
  });
  const best = (name: "index" | "one after the other"): number => Math.min(...measured.values(name));
  return {
    bench: "authorization",
    about: `Time of a decision among ${rules} rules of a caller, methods and path templates, by the index and by asking each rule; ${allowed} were allowed`,
    node: measuredVersion(),
    rounds,
    columns: ["case", "µs per decision"],
    rows: [
      ["by the index", best("index")],
      ["each rule, one after the other", best("one after the other")],
    ],
    bounds: [atMost("µs of a decision by the index", best("index"), 2)],
    ratios: { "index × one after the other": best("index") / best("one after the other") },
  };
}
