import fc from "fast-check";
import { expect, test } from "vitest";
import { pathProblem } from "../../src/authorization/conditions/strict-path.ts";
import { PolicyDiff } from "../../src/authorization/diff/policy-diff.ts";
import type { Policy } from "../../src/authorization/policy.ts";
import { checkPolicy } from "../../src/authorization/text/read-policy.ts";
import { type Asked, naiveDecision } from "../support/naive-decision.ts";
import { asked, policyOf, rule } from "../support/random-policies.ts";

/** Two versions: the second one has some rules of the first, changed and new ones. */
const versions = fc.record({
  common: fc.array(rule, { maxLength: 4 }),
  before: fc.array(rule, { maxLength: 2 }),
  after: fc.array(rule, { maxLength: 2 }),
  isDry: fc.constantFrom(false, false, false, true),
});
const requests = fc.array(asked, { minLength: 6, maxLength: 16 });

const decisionOf = (policy: Policy, each: Asked): { decision: string; rule: string | undefined } => {
  const { allowed, ruleId } = naiveDecision(policy, each);
  return { decision: allowed ? "allowed" : policy.dryRun === true ? "dry-run-denied" : "denied", rule: ruleId };
};

test("every request that two policies decide differently is in a class that the diff has, and every example that is certain is decided as it says", () => {
  const counts = { differing: 0, examples: 0, supposed: 0, cut: 0 };
  fc.assert(
    fc.property(versions, requests, ({ common, before, after, isDry }, list) => {
      const old = checkPolicy(policyOf([...common, ...before]));
      const now = { ...checkPolicy(policyOf([...common, ...after])), dryRun: isDry };
      const diff = new PolicyDiff(old, now);
      if (diff.cuts.size > 0) {
        counts.cut++;
        return;
      }
      for (const each of list) {
        // These are refused before any rule.
        if (pathProblem(each.path) !== undefined) continue;
        const [a, b] = [decisionOf(old, each), decisionOf(now, each)];
        if (a.decision === b.decision) continue;
        counts.differing++;
        const headers: Record<string, string[]> = {};
        for (const [name, value] of each.headers) headers[name.toLowerCase()] = [...(headers[name.toLowerCase()] ?? []), value];
        expect(diff.find({ ...each, headers, atMs: each.nowMs })).toMatchObject({ old: a.decision, new: b.decision });
        expect(diff.count).toBeGreaterThan(0);
      }
      for (const difference of diff.differences(20)) {
        const { example, isCertain } = difference;
        if (!isCertain) {
          counts.supposed++;
          continue;
        }
        counts.examples++;
        const headers = Object.entries(example.headers).flatMap(([name, values]) => values.map((value) => [name, value] as const));
        const shown = {
          ...example,
          headers,
          nowMs: example.atMs,
          tokens: example.tokens.map((each) => ({ ...each, claims: { ...each.claims } })),
        };
        expect(pathProblem(example.path)).toBeUndefined();
        expect([decisionOf(old, shown), decisionOf(now, shown)]).toEqual([difference.old, difference.new]);
        expect(difference.old.decision).not.toBe(difference.new.decision);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(counts.differing).toBeGreaterThan(1_000);
  expect(counts.examples).toBeGreaterThan(1_000);
  expect(counts.cut).toBeLessThan(50);
}, 300_000);
