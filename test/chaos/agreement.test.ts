import { describe, expect, it } from "vitest";
import { agreement } from "./rig/agreement.ts";
import type { Outcome } from "./rig/fault.ts";

/** Two calls: one answered at once, one that was sent to two instances, of which the first could not be reached. */
const counts = {
  inmesh_client_call_duration_seconds_count: 2,
  http_client_request_duration_seconds_count: 3,
  inmesh_client_attempts_sum: 3,
  inmesh_client_attempts_count: 2,
  inmesh_client_picks_total: 3,
  inmesh_client_retries_total: 1,
};

function outcomeWith(counted: Readonly<Record<string, number>>): Outcome {
  const text = Object.entries(counted)
    .map(([name, value]) => `${name}{inmesh_outcome="success"} ${value}\n`)
    .join("");
  const at = (id: string, instance: string) => ({ id, instance, method: "GET", event: "begin", at: 0 });
  return {
    metrics: [text],
    ledger: [{ id: "1" }, { id: "2" }],
    figures: { ok: 2, failed: 0, aborted: 0 },
    journal: [at("1", "a"), at("2", "a")],
    attempts: [
      { id: "1", upstream: "a" },
      { id: "2", upstream: "closed" },
      { id: "2", upstream: "a" },
    ],
  } as unknown as Outcome;
}

const broken = (counted: Readonly<Record<string, number>>) => agreement(outcomeWith(counted)).filter(({ holds }) => !holds);

describe("the agreement of metrics with ledger and journals", () => {
  it("holds where they count the same", () => {
    expect(broken(counts)).toEqual([]);
  });

  it.each(Object.keys(counts) as (keyof typeof counts)[])("does not where %s is one off", (name) => {
    expect(broken({ ...counts, [name]: counts[name] + 1 })).not.toEqual([]);
    expect(broken({ ...counts, [name]: counts[name] - 1 })).not.toEqual([]);
  });

  it("does not where nobody reports any", () => {
    expect(agreement({ ...outcomeWith(counts), metrics: [] }).every(({ holds }) => holds)).toBe(false);
  });
});
