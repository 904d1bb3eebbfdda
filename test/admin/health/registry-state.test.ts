import { expect, it } from "vitest";
import { registryState } from "../../../src/admin/health/registry-state.ts";

it("the registry is unknown before its first answer, fails while discovery of a service does, and is OK else", () => {
  const never = { discoveryError: null, discoveryAgeMs: null };
  const good = { discoveryError: null, discoveryAgeMs: 5 };
  const bad = { discoveryError: "refused", discoveryAgeMs: 60_000 };
  expect(registryState([])).toEqual({ state: "unknown", failing: 0, error: null });
  expect(registryState([never])).toEqual({ state: "unknown", failing: 0, error: null });
  expect(registryState([never, good])).toEqual({ state: "ok", failing: 0, error: null });
  expect(registryState([good, bad, { ...bad, discoveryAgeMs: null }])).toEqual({ state: "failing", failing: 2, error: "refused" });
});
