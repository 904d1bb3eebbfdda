import { describe, expect, it } from "vitest";
import { registrySummary } from "../../../src/admin/health/registry-summary.ts";
import type { RegistryRow } from "../../../src/admin/snapshot.ts";

const source = "consul at http://127.0.0.1:8500";
const ok: RegistryRow = { source, state: "ok", failingMs: null, error: null };
const failing = (failingMs: number): RegistryRow => ({ source, state: "failing", failingMs, error: "ECONNREFUSED" });

describe("the state of the registry in a line", () => {
  it("is OK where all services say so, and not known without one", () => {
    expect(registrySummary([ok, ok])).toEqual({ state: "ok", services: 2, text: "registry OK" });
    expect(registrySummary([])).toEqual({ state: "waiting", services: 0, text: "registry not asked yet" });
  });

  it("is that of the worst, with the longest failure and the number of services", () => {
    expect(registrySummary([ok, failing(2_000), { ...ok, state: "doubted" }, failing(12_400)])).toEqual({
      state: "failing",
      services: 2,
      text: "registry failing for 12 s for 2 of 4 services, the last endpoints stay in use: consul at http://127.0.0.1:8500: ECONNREFUSED",
    });
    expect(registrySummary([failing(900)]).text).toBe(
      "registry failing for 1 s, the last endpoints stay in use: consul at http://127.0.0.1:8500: ECONNREFUSED",
    );
  });

  it("names doubt, and a first answer that is waited for", () => {
    expect(registrySummary([{ ...ok, state: "doubted" }, ok]).text).toBe(
      "registry in doubt for 1 of 2 services: its last answer leaves endpoints out, which are kept until that is confirmed",
    );
    expect(registrySummary([{ ...ok, state: "waiting" }])).toEqual({
      state: "waiting",
      services: 1,
      text: "registry has not answered yet",
    });
  });
});
