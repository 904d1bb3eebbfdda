import type { Clock } from "../core/clock.ts";
import type { Interceptor, MeshRequest } from "../core/dispatch.ts";
import { callerHeader } from "../core/http/own-headers.ts";
import type { RequestHeaders } from "../core/http/request-headers.ts";
import { headersWith } from "../core/http/request-headers.ts";
import { type LayerParts, layer } from "../core/layer.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { flag } from "../core/settings/rules.ts";
import { attemptHeader, deadlineHeader } from "./incoming.ts";

/**
 * Adds the headers that tell the instance how long its caller still waits, from the second attempt on the number of the attempt, and which mesh it comes
 * from. It is below the balancer, where each attempt has a request of its own.
 */
export function propagate(clock: Clock, caller?: string): Interceptor {
  return (next) => (request) => {
    const added = addedHeaders(request, clock, caller);
    // In place: another copy would be held as long as the attempt.
    if (added !== undefined) (request as { headers: RequestHeaders }).headers = headersWith(request.headers, added);
    return next(request);
  };
}

function addedHeaders({ deadline, attempt }: MeshRequest, clock: Clock, caller: string | undefined): RequestHeaders | undefined {
  const added: Record<string, string> = {};
  if (deadline !== Number.POSITIVE_INFINITY) added[deadlineHeader] = String(Math.max(0, Math.round(deadline - clock.now())));
  if (attempt > 1) added[attemptHeader] = String(attempt);
  if (caller !== undefined) added[callerHeader] = caller;
  return added;
}

/** The option of {@link propagateLayer}. */
export interface PropagateOption {
  /**
   * Tells instances how long the caller still waits (`x-mesh-deadline-ms`), which attempt this is (`x-mesh-attempt`), and that it comes from this mesh
   * (`x-mesh-caller`, a random name). @default true
   */
  readonly propagateDeadline?: boolean;
}

/** Below the balancer: each attempt has less time left than the one before. */
export const propagateLayer = layer({
  name: "propagate the deadline",
  options: optionTable<PropagateOption>()({ propagateDeadline: flag(true) }),
  build: ({ propagateDeadline }, { clock, caller }: LayerParts & { readonly caller?: string | undefined }) =>
    propagateDeadline ? propagate(clock, caller) : undefined,
});
