import type { Balancer } from "../balancer/balancer.ts";
import type { Interceptor, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { MeshError } from "../core/errors.ts";
import { isRetryableMethod } from "../core/outcome.ts";
import type { Upstream } from "../core/upstream.ts";
import type { AttemptLedger } from "./attempt-ledger.ts";

/** The parts that {@link balance} joins. */
export interface BalanceOptions {
  readonly balancer: Balancer;
  readonly ledger: AttemptLedger;
  /** For discovery's first answer. */
  readonly wait: FirstAnswer;
  /** An instance that is full is passed over; while all are, attempts wait. */
  readonly instanceLimit?: InstanceRoom | undefined;
}

/** How calls wait for discovery's first answer. */
export interface FirstAnswer {
  /** `true` once discovery has answered. */
  readonly isOver: boolean;
  /** Waits for the answer. */
  join(request: MeshRequest): Promise<void>;
  /** The error of a call for which there is no instance. */
  noEndpoints(request: MeshRequest): Promise<MeshError>;
}

/** The room that each instance has for attempts. */
export interface InstanceRoom {
  /** `true` while other attempts wait for room. */
  readonly isTaken: boolean;
  isFull(upstream: Upstream): boolean;
  /** Resolves with the result of `go` when there is room for the request; `go` picks at once. */
  waitFor<Result>(request: MeshRequest, go: () => Promise<Result>): Promise<Result>;
  /** An attempt has ended: lets as many go on as there is room for. */
  fill(): void;
}

/**
 * Waits for the first endpoints, picks an instance, and keeps the books of the attempt in the ledger until its body has closed. The
 * circuit of the instance is told there: a layer of its own would be one more promise for each attempt in flight.
 */
export function balance({ balancer, ledger, wait, instanceLimit }: BalanceOptions): Interceptor {
  return (next) => {
    const send = (request: MeshRequest): Promise<MeshResponse> => {
      const mayProbe = request.options.idempotent ?? isRetryableMethod(request.method, "safe");
      let upstream = balancer.pick(request, mayProbe);
      if (upstream !== undefined && instanceLimit?.isFull(upstream)) {
        upstream = withRoom(balancer, request, mayProbe, instanceLimit);
        if (upstream === undefined) return instanceLimit.waitFor(request, () => send(request));
      }
      if (upstream === undefined) {
        return wait.noEndpoints(request).then((error) => {
          throw error;
        });
      }
      request.tried.push(upstream);
      const attempt = ledger.begin(upstream, request);
      attempt.sent();
      return next({ ...request, upstream }).then(
        (response) => {
          attempt.head(response);
          // Until the body has closed, not the head: otherwise an instance that streams looks idle.
          response.body.onClose((error) => attempt.end(error));
          return response;
        },
        (error: unknown) => {
          attempt.end(error);
          throw error;
        },
      );
    };
    const inTurn = (request: MeshRequest) => (instanceLimit?.isTaken ? instanceLimit.waitFor(request, () => send(request)) : send(request));
    return (request) => (wait.isOver ? inTurn(request) : wait.join(request).then(() => inTurn(request)));
  };
}

/** Another one, picked as for a retry, that is not full; at worst each is looked at once. */
function withRoom(balancer: Balancer, request: MeshRequest, mayProbe: boolean, limit: InstanceRoom): Upstream | undefined {
  const full = balancer.candidates.filter((upstream) => limit.isFull(upstream));
  // One that has been tried is better than none.
  for (const tried of [[...request.tried, ...full], full]) {
    const upstream = balancer.pick({ ...request, tried }, mayProbe);
    if (upstream !== undefined && !limit.isFull(upstream)) return upstream;
  }
  return undefined;
}
