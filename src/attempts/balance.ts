import type { Balancer } from "../balancer/balancer.ts";
import type { Cancellation } from "../core/cancellation.ts";
import type { Dispatch, Interceptor, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { MeshError } from "../core/errors.ts";
import { isRetryableMethod } from "../core/outcome.ts";
import { SendProgress } from "../core/send-progress.ts";
import type { Upstream } from "../core/upstream.ts";
import type { AttemptLedger } from "./attempt-ledger.ts";
import { noTls, pickSecure } from "./pick-secure.ts";

/** The parts that {@link balance} joins. */
export interface BalanceOptions {
  readonly balancer: Balancer;
  readonly ledger: AttemptLedger;
  /** The wait for discovery's first answer. */
  readonly wait: FirstAnswer;
  /** The room of the instances: a full one is passed over, and while all are full, attempts wait. */
  readonly instanceLimit?: InstanceRoom | undefined;
  /** Begins the time limit of an attempt; `undefined` for an attempt without one. */
  readonly limitOf?: ((request: MeshRequest) => AttemptLimit | undefined) | undefined;
}

/** The time limit of one attempt up to its response head, which is the attempt's cancellation. */
export interface AttemptLimit extends Cancellation {
  /** The response head is there. */
  answered(response: MeshResponse): void;
  /** The attempt has ended without a response. */
  failed(): void;
}

/** The wait of calls for discovery's first answer. */
export interface FirstAnswer {
  /** `true` once discovery has answered. */
  readonly isOver: boolean;
  /** Resolves once discovery has answered. */
  join(request: MeshRequest): Promise<void>;
  /** The error of a call to a service without instances. */
  noEndpoints(request: MeshRequest): Promise<MeshError>;
}

/** The room that each instance has for attempts. */
export interface InstanceRoom {
  /** `true` while attempts wait for room. */
  readonly isTaken: boolean;
  isFull(upstream: Upstream): boolean;
  /** Calls `go` when there is room for the request, which picks at once, and resolves with its result. */
  waitFor<Result>(request: MeshRequest, go: () => Promise<Result>): Promise<Result>;
}

/**
 * Waits for the first endpoints, picks an instance, bounds the attempt, and keeps its books until its body has closed. The ledger tells the
 * circuit of the instance, and the time limit is begun here: a layer for each would be one more promise for each attempt in flight.
 */
export function balance(options: BalanceOptions): Interceptor {
  const { balancer, wait, instanceLimit } = options;
  return (next) => {
    const send = (request: MeshRequest): Promise<MeshResponse> => {
      // Given up while an interceptor worked: nothing is sent, for which no instance is to blame.
      if (request.cancellation.cancelled) return Promise.reject(request.cancellation.reason);
      const mayProbe = request.options.idempotent ?? isRetryableMethod(request.method, "safe");
      let upstream = balancer.pick(request, mayProbe);
      if (upstream === undefined) return fail(wait.noEndpoints(request));
      if (request.requiresTls && !upstream.endpoint.secure) {
        upstream = pickSecure(balancer, request, mayProbe);
        if (upstream === undefined) return Promise.reject(noTls(request));
        request.trace?.because("one that speaks TLS");
      }
      if (instanceLimit?.isFull(upstream)) {
        request.trace?.because(`${upstream.id} was full`);
        upstream = pickWithRoom(balancer, request, mayProbe, instanceLimit);
        if (upstream === undefined) return instanceLimit.waitFor(request, () => send(request));
      }
      request.trace?.decide(request.attempt, request.tried, upstream);
      request.tried.push(upstream);
      return attempt(options, next, request, upstream);
    };
    const inTurn = (request: MeshRequest) => (instanceLimit?.isTaken ? instanceLimit.waitFor(request, () => send(request)) : send(request));
    return (request) => (wait.isOver ? inTurn(request) : wait.join(request).then(() => inTurn(request)));
  };
}

/** Makes one attempt at `upstream`, with its books and its time limit: a timeout is a failure of the instance. */
function attempt({ ledger, limitOf }: BalanceOptions, next: Dispatch, request: MeshRequest, upstream: Upstream): Promise<MeshResponse> {
  const books = ledger.begin(upstream, request);
  const progress = request.body === undefined ? undefined : new SendProgress();
  books.sent(progress);
  const sent: { -readonly [Key in keyof MeshRequest]: MeshRequest[Key] } = { ...request, upstream, progress };
  const limit = limitOf?.(sent);
  if (limit !== undefined) sent.cancellation = limit;
  return next(sent).then(
    (response) => {
      limit?.answered(response);
      request.trace?.ended(upstream, { status: response.status });
      books.head(response);
      // Until the body has closed, not the head: otherwise an instance that streams would look idle.
      response.body.onClose((error) => books.end(error));
      return response;
    },
    (error: unknown) => {
      limit?.failed();
      request.trace?.failed(upstream, error);
      books.end(error);
      throw error;
    },
  );
}

/** Picks as for a retry until an instance is not full, each instance at most once. */
function pickWithRoom(balancer: Balancer, request: MeshRequest, mayProbe: boolean, limit: InstanceRoom): Upstream | undefined {
  const isUnfit = (upstream: Upstream) => limit.isFull(upstream) || (request.requiresTls && !upstream.endpoint.secure);
  const full = balancer.candidates.filter(isUnfit);
  // Without the tried ones first, then with them: an instance that has been tried is better than none.
  for (const tried of [[...request.tried, ...full], full]) {
    const upstream = balancer.pick({ ...request, tried }, mayProbe);
    if (upstream !== undefined && !isUnfit(upstream)) return upstream;
  }
  return undefined;
}

async function fail(error: Promise<MeshError>): Promise<never> {
  throw await error;
}
