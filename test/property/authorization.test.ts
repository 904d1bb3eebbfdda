import fc from "fast-check";
import { expect, test } from "vitest";
import { CompiledPolicy } from "../../src/authorization/compiled-policy.ts";
import { checkPolicy } from "../../src/authorization/text/read-policy.ts";
import { naiveDecision } from "../support/naive-decision.ts";
import { asked, policyOf, rule } from "../support/random-policies.ts";

test("the compiled decision equals a naive reading of the rules", () => {
  const counts = { allowed: 0, denied: 0, none: 0 };
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), fc.array(asked, { minLength: 4, maxLength: 12 }), (rules, requests) => {
      const policy = checkPolicy(policyOf(rules));
      const compiled = new CompiledPolicy(policy);
      for (const each of requests) {
        const request = {
          method: each.method,
          path: each.path,
          headerValues: (name: string) => each.headers.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value),
        };
        const expected = naiveDecision(policy, each);
        const { allowed, ruleId, audits } = compiled.decide(request, each, each.nowMs);
        expect({ allowed, ruleId, audits: [...audits].sort() }).toEqual({ ...expected, audits: expected.audits.sort() });
        counts[ruleId === undefined ? "none" : allowed ? "allowed" : "denied"]++;
      }
    }),
    { numRuns: 3_000 },
  );
  // The generated cases are of all kinds, not nearly all of one.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(2_000);
}, 120_000);
