import { describe, expect, it } from "vitest";
import { RecentErrors } from "../../src/admin/recent-errors.ts";
import type { MeshRequest } from "../../src/core/dispatch.ts";
import { MeshError } from "../../src/core/errors.ts";

const attempt = { endpoint: "a", phase: "headers", ms: 1, code: undefined, status: 503, maybeExecuted: true };

/** A list with so many answers of 503, and then so many calls that the open breaker refused. */
function listOf(causes: number, refusals: number) {
  const errors = new RecentErrors();
  const end = { attempts: 1, headMs: 1, totalMs: 1, cancelled: false } as const;
  for (let index = 0; index < causes; index++)
    errors.add({ method: "GET", path: "/cause", attempts: [attempt] } as unknown as MeshRequest, { ...end, status: 503 } as never, index);
  const open = new MeshError("ERR_MESH_CIRCUIT_OPEN", "the breaker is open", { service: "orders" } as never);
  for (let index = 0; index < refusals; index++)
    errors.add(
      { method: "GET", path: "/refused", attempts: [] } as unknown as MeshRequest,
      { ...end, error: open } as never,
      1_000 + index,
    );
  return errors.list();
}

describe("the recent errors", () => {
  it.each([
    [3, 1_000, 3, 47],
    [60, 1_000, 45, 5],
    [60, 2, 48, 2],
    [60, 0, 50, 0],
    [0, 60, 0, 50],
  ])("of %i failed and %i refused calls are %i and %i: no refusal pushes the cause out", (causes, refusals, keptCauses, keptRefusals) => {
    const list = listOf(causes, refusals);
    expect(list.filter(({ path }) => path === "/cause")).toHaveLength(keptCauses);
    expect(list.filter(({ path }) => path === "/refused")).toHaveLength(keptRefusals);
    expect(list.map(({ id }) => id)).toEqual(list.map(({ id }) => id).sort((one, other) => other - one));
  });
});
