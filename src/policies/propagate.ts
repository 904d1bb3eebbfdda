import type { Clock } from "../core/clock.ts";
import type { Interceptor, RpcCall } from "../core/dispatch.ts";
import { callerHeader } from "../core/http/own-headers.ts";
import { copyOfHeaders, type RequestHeaders } from "../core/http/request-headers.ts";
import { type LayerParts, layer } from "../core/layer.ts";
import { writeConnectTimeout, writeGrpcTimeout } from "../core/rpc/grpc-timeout.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { atOnce, flag } from "../core/settings/rules.ts";
import { attemptHeader, deadlineHeader } from "./incoming.ts";

/**
 * Adds the headers that tell the instance how long its caller still waits, from the second attempt on the number of the attempt, and which mesh it comes
 * from. It is below the balancer, where each attempt has a request of its own.
 */
export function propagate(clock: Clock, caller?: string): Interceptor {
  return (next) => (request) => {
    const { deadline, attempt, rpc } = request;
    const waits = deadline !== Number.POSITIVE_INFINITY;
    if (waits || attempt > 1 || caller !== undefined) {
      const headers = copyOfHeaders(request.headers);
      if (waits) headers[deadlineHeader] = String(Math.max(0, Math.round(deadline - clock.now())));
      if (attempt > 1) headers[attemptHeader] = String(attempt);
      if (rpc !== undefined) addRpcHeaders(headers, rpc, { waitsMs: deadline - clock.now(), attempt });
      if (caller !== undefined) headers[callerHeader] = caller;
      // In place: another copy would be held as long as the attempt.
      (request as { headers: RequestHeaders }).headers = headers;
    }
    return next(request);
  };
}

/** The same in the words of the protocol of a remote procedure call, whatever the program has written there. */
function addRpcHeaders(headers: Record<string, string>, rpc: RpcCall, { waitsMs, attempt }: { waitsMs: number; attempt: number }): void {
  const isBounded = waitsMs !== Number.POSITIVE_INFINITY;
  if (isBounded && rpc.timeoutHeader === "grpc-timeout") headers["grpc-timeout"] = writeGrpcTimeout(waitsMs);
  if (isBounded && rpc.timeoutHeader === "connect-timeout-ms") headers["connect-timeout-ms"] = writeConnectTimeout(waitsMs);
  if (attempt > 1 && rpc.protocol !== "connect") headers["grpc-previous-rpc-attempts"] = String(attempt - 1);
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
