import type { Clock } from "../core/clock.ts";
import type { Interceptor, MeshRequest } from "../core/dispatch.ts";
import type { RequestHeaders } from "../core/http/request-headers.ts";
import { headersWith } from "../core/http/request-headers.ts";
import { type LayerParts, layer } from "../core/layer.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { flag } from "../core/settings/rules.ts";
import { attemptHeader, deadlineHeader } from "./incoming.ts";

/**
 * Adds the headers that tell the instance how long its caller still waits and, from the second attempt on, the number of the attempt. It is
 * below the balancer, where each attempt has a request of its own.
 */
export function propagate(clock: Clock): Interceptor {
  return (next) => (request) => {
    const added = addedHeaders(request, clock);
    // In place: another copy would be held as long as the attempt.
    if (added !== undefined) (request as { headers: RequestHeaders }).headers = headersWith(request.headers, added);
    return next(request);
  };
}

function addedHeaders({ deadline, attempt }: MeshRequest, clock: Clock): RequestHeaders | undefined {
  const waits = deadline !== Number.POSITIVE_INFINITY;
  if (!waits) return attempt > 1 ? { [attemptHeader]: String(attempt) } : undefined;
  const waitsMs = String(Math.max(0, Math.round(deadline - clock.now())));
  return attempt > 1 ? { [deadlineHeader]: waitsMs, [attemptHeader]: String(attempt) } : { [deadlineHeader]: waitsMs };
}

/** The option of {@link propagateLayer}. */
export interface PropagateOption {
  /** Tells instances how long the caller still waits (`x-mesh-deadline-ms`), and which attempt this is (`x-mesh-attempt`). @default true */
  readonly propagateDeadline?: boolean;
}

/** Below the balancer: each attempt has less time left than the one before. */
export const propagateLayer = layer({
  name: "propagate the deadline",
  options: optionTable<PropagateOption>()({ propagateDeadline: flag(true) }),
  build: ({ propagateDeadline }, { clock }: LayerParts) => (propagateDeadline ? propagate(clock) : undefined),
});
