import fc from "fast-check";
import { expect, test } from "vitest";
import { CompiledPolicy } from "../../src/authorization/compiled-policy.ts";
import { policyRecorder } from "../../src/authorization/recording/policy-recorder.ts";
import { parsePolicy } from "../../src/authorization/text/read-policy.ts";

const methods = ["GET", "POST", "DELETE"];
const identities = [undefined, "spiffe://example.org/shop/web", "spiffe://example.org/shop", "CN=job, O=a: b", "orders.example.org"];
const segment = fc.constantFrom("orders", "users", "1", "2b", "v1", "a.b", "%C3%BC", "x y".replace(" ", "+"), "");
// An empty segment stands at the end only.
const path = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((list) => `/${list.filter((each, index) => each !== "" || index === list.length - 1).join("/")}`);
const request = fc.record({ method: fc.constantFrom(...methods), path, identity: fc.constantFrom(...identities) });
type Request = { readonly method: string; readonly path: string; readonly identity: string | undefined };

function proposed(list: readonly Request[]): (asked: Request) => boolean {
  const recorder = policyRecorder();
  for (const each of list) recorder.audit({ ...each, decision: "dry-run-denied", ruleId: undefined });
  const policy = new CompiledPolicy(parsePolicy(recorder.propose()));
  return ({ method, path, identity }) =>
    policy.decide({ method, path, headerValues: () => [] }, { identity, address: undefined, tokens: [] }, 0).allowed;
}

test("of few values, a proposed policy allows exactly what was seen, and to every caller what came without an identity", () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 30 }), fc.array(request, { minLength: 10, maxLength: 30 }), (list, others) => {
      const allows = proposed(list);
      for (const each of list) expect(allows(each)).toBe(true);
      for (const asked of others) {
        const wasSeen = list.some(
          (each) =>
            each.method === asked.method && each.path === asked.path && (each.identity === asked.identity || each.identity === undefined),
        );
        expect(allows(asked), JSON.stringify(asked)).toBe(wasSeen);
      }
    }),
    { numRuns: 500 },
  );
});

test("of many values, it allows all that was seen, and no request with another caller, method, name or number of segments", () => {
  const id = fc.integer({ min: 0, max: 1_000_000 }).map(String);
  const manyPath = fc.oneof(
    id.map((each) => `/orders/${each}`),
    fc.tuple(id, id).map(([one, other]) => `/orders/${one}/items/${other}`),
    fc.constant("/orders/search"),
  );
  const many = fc.record({ method: fc.constantFrom("GET", "PUT"), path: manyPath, identity: fc.constantFrom(...identities.slice(1, 3)) });
  fc.assert(
    fc.property(fc.array(many, { minLength: 60, maxLength: 120 }), (list) => {
      const allows = proposed(list);
      for (const each of list) {
        expect(allows(each)).toBe(true);
        for (const mutated of [
          { ...each, method: "DELETE" },
          { ...each, identity: `${each.identity}/more` },
          { ...each, identity: undefined },
          { ...each, path: `${each.path}/` },
          { ...each, path: `${each.path}/more` },
          { ...each, path: `/admin${each.path}` },
          { ...each, path: each.path.replace("/orders", "/Orders") },
        ])
          expect(allows(mutated), JSON.stringify(mutated)).toBe(false);
      }
    }),
    { numRuns: 60 },
  );
});
