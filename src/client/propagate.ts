import type { Clock } from "../core/clock.ts";
import type { Interceptor, MeshRequest } from "../core/dispatch.ts";
import { attemptHeader, deadlineHeader } from "../policies/incoming.ts";

/**
 * Tells the instance how long its caller still waits and, from the second attempt on, which attempt this is. Below the retries: each
 * attempt has less time left than the one before.
 */
export function propagate(clock: Clock): Interceptor {
  return (next) => (request) => next(withHeaders(request, clock));
}

function withHeaders(request: MeshRequest, clock: Clock): MeshRequest {
  const { deadline, attempt } = request;
  const waits = deadline !== Number.POSITIVE_INFINITY;
  if (!waits && attempt === 1) return request;
  const headers: Record<string, string> = Object.create(null);
  for (const name in request.headers) headers[name] = request.headers[name] as string;
  if (waits) headers[deadlineHeader] = String(Math.max(0, Math.round(deadline - clock.now())));
  if (attempt > 1) headers[attemptHeader] = String(attempt);
  return { ...request, headers };
}
