import type { Clock } from "../core/clock.ts";
import type { Interceptor } from "../core/dispatch.ts";
import { callerHeader } from "../core/http/own-headers.ts";
import { copyOfHeaders, type RequestHeaders } from "../core/http/request-headers.ts";
import { type LayerParts, layer } from "../core/layer.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { atOnce, flag } from "../core/settings/rules.ts";
import { attemptHeader, deadlineHeader } from "./incoming.ts";

/**
 * Adds the headers that tell the instance how long its caller still waits, from the second attempt on the number of the attempt, and which mesh it comes
 * from. It is below the balancer, where each attempt has a request of its own.
 */
export function propagate(clock: Clock, caller?: string): Interceptor {
  return (next) => (request) => {
    const { deadline, attempt } = request;
    const waits = deadline !== Number.POSITIVE_INFINITY;
    if (waits || attempt > 1 || caller !== undefined) {
      const headers = copyOfHeaders(request.headers);
      if (waits) headers[deadlineHeader] = String(Math.max(0, Math.round(deadline - clock.now())));
      if (attempt > 1) headers[attemptHeader] = String(attempt);
      if (caller !== undefined) headers[callerHeader] = caller;
      // In place: another copy would be held as long as the attempt.
      (request as { headers: RequestHeaders }).headers = headers;
    }
    return next(request);
  };
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
  options: optionTable<PropagateOption>()({ propagateDeadline: atOnce(flag(true)) }),
  build: ({ propagateDeadline }, { clock, caller }: LayerParts & { readonly caller?: string | undefined }) =>
    propagateDeadline ? propagate(clock, caller) : undefined,
});
