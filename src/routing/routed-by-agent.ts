import type { Random } from "../core/clock.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { appliedTo } from "./applied-decision.ts";
import type { Decision } from "./compiled-rule.ts";
import type { RouteTable } from "./route-table.ts";

/**
 * The request of an agent of `node:http`, which writes the head by itself and reads the answer by itself, as its rule sends it.
 * @throws MeshError `ERR_MESH_ROUTE` for a rule with a part that cannot be applied: passing over it would send another request than the rule says.
 */
export function routedByAgent(request: MeshRequest, table: RouteTable, random: Random): MeshRequest {
  const decision = table.decide(request, random);
  if (decision === undefined) return request;
  const part = inapplicable(decision);
  if (part === undefined) return appliedTo(request, decision);
  const message = `the route "${decision.rule.name}" has ${part}, which mesh.agent() cannot apply: node:http writes the request by itself`;
  throw new MeshError("ERR_MESH_ROUTE", message, { service: request.service, maybeExecuted: false, stack: false });
}

function inapplicable({ rule: { route }, target }: Decision): string | undefined {
  // Copies are left out: without one, the call is what its rule says.
  const parts = ["rewrite", "redirect", "respond", "requestHeaders", "responseHeaders", "fault"] as const;
  const part = parts.find((name) => route[name] !== undefined);
  if (part !== undefined) return part;
  return target.requestHeaders !== undefined || target.responseHeaders !== undefined ? "changes of headers for a target" : undefined;
}
