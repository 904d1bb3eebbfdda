import type { Balancer } from "../balancer/balancer.ts";
import type { Picker } from "../balancer/picker.ts";
import type { Interceptor, MeshRequest } from "../core/dispatch.ts";
import { isRetryableMethod } from "../core/outcome.ts";
import type { Upstream } from "../core/upstream.ts";

/** What {@link balance} needs. */
export interface BalanceOptions {
  readonly balancer: Balancer;
  /** The balancer's picker, where it learns from attempts. */
  readonly picker: Pick<Picker, "onAttempt">;
  /** `true` once discovery has answered. */
  readonly isReady: () => boolean;
  /** Resolves when discovery has answered; rejects when it did not in time. */
  readonly ready: (request: MeshRequest) => Promise<void>;
  /** What a call gets when there is nobody to send it to. */
  readonly noEndpoints: (request: MeshRequest) => Promise<Error>;
}

const smoothing = 0.1;

/** Waits for the first endpoints, picks an instance and counts the request in flight until its body has closed. */
export function balance({ balancer, picker, isReady, ready, noEndpoints }: BalanceOptions): Interceptor {
  return (next) => {
    const send = (request: MeshRequest) => {
      const mayProbe = request.options.idempotent ?? isRetryableMethod(request.method, "safe");
      const upstream = balancer.pick(request, mayProbe);
      if (upstream === undefined) {
        return noEndpoints(request).then((error) => {
          throw error;
        });
      }
      request.tried.push(upstream);
      upstream.inFlight++;
      upstream.requests++;
      const learner = picker.onAttempt?.(upstream, request);
      return next({ ...request, upstream }).then(
        (response) => {
          learnLatency(upstream, request);
          learner?.onHead(response);
          // Until the body has closed, not the head: otherwise an instance that streams looks idle.
          response.body.onClose((error) => {
            upstream.inFlight--;
            learner?.onEnd(error);
          });
          return response;
        },
        (error: unknown) => {
          upstream.inFlight--;
          learner?.onEnd(error);
          throw error;
        },
      );
    };
    return (request) => (isReady() ? send(request) : ready(request).then(() => send(request)));
  };
}

function learnLatency(upstream: Upstream, request: MeshRequest): void {
  const ms = request.attempts.at(-1)?.ms ?? 0;
  upstream.latencyMs = upstream.latencyMs === 0 ? ms : upstream.latencyMs + smoothing * (ms - upstream.latencyMs);
}
