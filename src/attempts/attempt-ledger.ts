import type { AttemptLearner, Picker } from "../balancer/picker.ts";
import type { CircuitPermit } from "../circuit/circuit-permit.ts";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { outcomeOfError, outcomeOfResponse } from "../core/outcome.ts";
import { statisticsOf, type Upstream } from "../core/upstream.ts";
import { type HeadVerdict, isRefusal, type PassiveHealth } from "../rotation/passive-health.ts";

/** The parts that an {@link AttemptLedger} reports to. */
export interface AttemptLedgerOptions {
  /** The balancer's picker, where it learns from attempts. */
  readonly picker: Pick<Picker, "onAttempt">;
  /** Judges instances by their attempts; `undefined` where breakers are switched off. */
  readonly passiveHealth: Pick<PassiveHealth, "admit" | "answered" | "ended" | "failed"> | undefined;
  readonly clock: Clock;
  /** Called when an attempt has ended: its instance has room for another one. */
  readonly onEnd?: (() => void) | undefined;
  /** Called when no connection could be made: discovery's data may be out of date. */
  readonly onUnreachable?: (() => void) | undefined;
}

/**
 * Keeps the books of every attempt, by whichever door it came in: attempts in flight, attempts made, failures and latency of its upstream, what
 * the picker learns, and the permit of the instance's circuit. Nothing else writes an upstream's statistics, so that `explain()`, the balancer
 * and the metrics see the same numbers for `mesh.fetch`, a dispatcher, an agent and an upgraded connection.
 */
export class AttemptLedger {
  readonly #options: AttemptLedgerOptions;

  constructor(options: AttemptLedgerOptions) {
    this.#options = options;
  }

  /** An attempt at `upstream` begins; it is in flight until its {@link Attempt.end}. */
  begin(upstream: Upstream, request: MeshRequest): Attempt {
    return new Attempt(this.#options, upstream, request);
  }
}

/** The books of one attempt: `sent`, then `head`, then `end`. Each counts once, and `end` may come at any time. */
export class Attempt {
  readonly #options: AttemptLedgerOptions;
  readonly #upstream: Upstream;
  readonly #request: MeshRequest;
  readonly #permit: CircuitPermit | undefined;
  /** `undefined` until the attempt is sent: before that, its time is not the instance's. */
  #sentAt: number | undefined = undefined;
  #learner: AttemptLearner | undefined = undefined;
  /** `undefined` until the head has come. */
  #response: MeshResponse | undefined = undefined;
  #verdict: HeadVerdict | undefined = undefined;
  #hasEnded = false;

  constructor(options: AttemptLedgerOptions, upstream: Upstream, request: MeshRequest) {
    this.#options = options;
    this.#upstream = upstream;
    this.#request = request;
    const statistics = statisticsOf(upstream);
    statistics.inFlight++;
    statistics.attempts++;
    this.#permit = options.passiveHealth?.admit(upstream);
  }

  /** `true` when the head was a failure of the instance. */
  get hasFailedHead(): boolean {
    return this.#response !== undefined && outcomeOfResponse(this.#response) === "failure";
  }

  /** The request is sent, or has been sent whole where the client writes it: from now on the time is the instance's. */
  sent(): void {
    if (this.#hasEnded || this.#sentAt !== undefined) return;
    this.#sentAt = this.#options.clock.now();
    this.#learner = this.#options.picker.onAttempt?.(this.#upstream, this.#request);
  }

  /** The response head has come. */
  head(response: MeshResponse): void {
    if (this.#hasEnded || this.#response !== undefined) return;
    this.#response = response;
    if (outcomeOfResponse(response) === "failure") statisticsOf(this.#upstream).failures++;
    if (this.#permit !== undefined) this.#verdict = this.#options.passiveHealth?.answered(this.#upstream, this.#permit, response);
    if (this.#sentAt === undefined) return;
    learnLatency(this.#upstream, this.#options.clock.now() - this.#sentAt);
    this.#learner?.onHead(response);
  }

  /** The body has closed, or the attempt failed before its head. `error`: its failure; `undefined` for a whole response. */
  end(error: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { picker, onEnd } = this.#options;
    const statistics = statisticsOf(this.#upstream);
    const isGivenUp = this.#isGivenUp(error);
    const hasFailed = error !== undefined && !isGivenUp && outcomeOfError(error) === "failure";
    if (hasFailed && !this.hasFailedHead) statistics.failures++;
    if (hasFailed && isRefusal(error)) this.#options.onUnreachable?.();
    if (!isGivenUp) this.#reportEnd(error, hasFailed);
    statistics.inFlight--;
    // An instance that cannot be reached fails before anything is sent.
    if (hasFailed && this.#sentAt === undefined) this.#learner = picker.onAttempt?.(this.#upstream, this.#request);
    this.#learner?.onEnd(error);
    onEnd?.();
  }

  /**
   * Whether the body ended with the cancellation of the call: by its deadline or by the caller's abort, which say as much about a caller that
   * reads slowly as about the instance.
   */
  #isGivenUp(error: unknown): boolean {
    return this.#response !== undefined && error !== undefined && error === this.#request.cancellation.reason;
  }

  #reportEnd(error: unknown, hasFailed: boolean): void {
    const { passiveHealth } = this.#options;
    if (this.#permit === undefined) return;
    if (this.#response === undefined) passiveHealth?.failed(this.#upstream, this.#permit, error);
    else if (this.#verdict !== undefined)
      passiveHealth?.ended(this.#upstream, this.#permit, this.#verdict, this.#response.status, hasFailed);
  }
}

/** The weight of the newest latency in the moving average. */
const smoothing = 0.1;

function learnLatency(upstream: Upstream, ms: number): void {
  const statistics = statisticsOf(upstream);
  statistics.latencyMs = statistics.latencyMs === 0 ? ms : statistics.latencyMs + smoothing * (ms - statistics.latencyMs);
}
