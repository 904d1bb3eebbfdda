import type { Balancer } from "../balancer/balancer.ts";
import type { Cancellation } from "../core/cancellation.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { MeshError } from "../core/errors.ts";
import { isRetryableMethod } from "../core/outcome.ts";
import { SendProgress } from "../core/send-progress.ts";
import { dispatchOf, type Receiver, type Send, type Stage, settleWith } from "../core/stages/stage.ts";
import type { Upstream } from "../core/upstream.ts";
import { Attempt, type AttemptLedger } from "./attempt-ledger.ts";
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
  /** Resolves with `true` once discovery has answered anew, and with `false` at the end of the wait for an instance of the subset. */
  joinForSubset(request: MeshRequest): Promise<boolean>;
  /** The error of a call to a service without instances. */
  noEndpoints(request: MeshRequest): Promise<MeshError>;
}

/** The room that each instance has for attempts. */
export interface InstanceRoom {
  /** Whether attempts wait for room at the instances that the request may go to. */
  isTaken(request: MeshRequest): boolean;
  isFull(upstream: Upstream): boolean;
  /** Calls `go` when there is room for the request, which picks at once, and resolves with its result. */
  waitFor<Result>(request: MeshRequest, go: () => Promise<Result>): Promise<Result>;
}

/**
 * Waits for the first endpoints, picks an instance, bounds the attempt, and keeps its books until its body has closed. The ledger tells the
 * circuit of the instance, and the time limit is begun here: a layer for each would be one more object for each attempt in flight.
 */
export function balance(options: BalanceOptions): Stage {
  const { balancer, wait, instanceLimit } = options;
  return (next) => {
    const send: Send = (request, receiver) => {
      // Given up while an interceptor worked: nothing is sent, for which no instance is to blame.
      if (request.cancellation.cancelled) return receiver.failed(request.cancellation.reason);
      const mayProbe = request.options.idempotent ?? isRetryableMethod(request.method, "safe");
      let upstream = balancer.pick(request, mayProbe);
      if (upstream === undefined) return settleWith(sendOnceListed(request), receiver);
      if (request.requiresTls && !upstream.endpoint.secure) {
        upstream = pickSecure(balancer, request, mayProbe);
        if (upstream === undefined) return receiver.failed(noTls(request));
        request.trace?.because("one that speaks TLS");
      }
      if (instanceLimit?.isFull(upstream)) {
        request.trace?.because(`${upstream.id} was full`);
        upstream = pickWithRoom(balancer, request, mayProbe, instanceLimit);
        if (upstream === undefined) return sendInTurn(request, receiver);
      }
      request.trace?.decide(request.attempt, request.tried, upstream);
      request.tried.push(upstream);
      sendTo(upstream, request, receiver);
    };
    const sendTo = (upstream: Upstream, request: MeshRequest, receiver: Receiver): void => {
      const attempt = new SentAttempt(options.ledger, upstream, request, receiver);
      const progress = request.body === undefined ? undefined : new SendProgress();
      attempt.sent(progress);
      const sent: { -readonly [Key in keyof MeshRequest]: MeshRequest[Key] } = { ...request, upstream, progress };
      const limit = options.limitOf?.(sent);
      if (limit !== undefined) sent.cancellation = limit;
      attempt.limit = limit;
      next(sent, attempt);
    };
    const dispatch = dispatchOf(send);
    const sendOnceListed = async (request: MeshRequest): Promise<MeshResponse> => {
      if (request.routed?.subset !== undefined && (await wait.joinForSubset(request))) return dispatch(request);
      throw await wait.noEndpoints(request);
    };
    const sendInTurn: Send = (request, receiver) =>
      settleWith(
        (instanceLimit as InstanceRoom).waitFor(request, () => dispatch(request)),
        receiver,
      );
    const begin: Send = (request, receiver) => (instanceLimit?.isTaken(request) ? sendInTurn : send)(request, receiver);
    const beginLater = dispatchOf(begin);
    return (request, receiver) => {
      if (wait.isOver) begin(request, receiver);
      else
        settleWith(
          wait.join(request).then(() => beginLater(request)),
          receiver,
        );
    };
  };
}

/** The books of an attempt on its way, and its time limit: a timeout is a failure of the instance. */
class SentAttempt extends Attempt implements Receiver {
  limit: AttemptLimit | undefined = undefined;
  readonly #receiver: Receiver;

  constructor(ledger: AttemptLedger, upstream: Upstream, request: MeshRequest, receiver: Receiver) {
    super(ledger, upstream, request);
    this.#receiver = receiver;
  }

  answered(response: MeshResponse): void {
    this.limit?.answered(response);
    this.head(response);
    // Until the body has closed, not the head: otherwise an instance that streams would look idle.
    response.body.onClose((error) => this.end(error));
    this.#receiver.answered(response);
  }

  failed(error: unknown): void {
    this.limit?.failed();
    this.end(error);
    this.#receiver.failed(error);
  }
}

/** Picks as for a retry until an instance is not full, each instance at most once. */
function pickWithRoom(balancer: Balancer, request: MeshRequest, mayProbe: boolean, limit: InstanceRoom): Upstream | undefined {
  const isUnfit = (upstream: Upstream) => limit.isFull(upstream) || (request.requiresTls && !upstream.endpoint.secure);
  const full = balancer.candidatesOf(request).filter(isUnfit);
  // Without the tried ones first, then with them: an instance that has been tried is better than none.
  for (const tried of [[...request.tried, ...full], full]) {
    const upstream = balancer.pick({ ...request, tried }, mayProbe);
    if (upstream !== undefined && !isUnfit(upstream)) return upstream;
  }
  return undefined;
}
