import type { AttemptLearner, Picker } from "../balancer/picker.ts";
import type { CircuitPermit } from "../circuit/circuit-permit.ts";
import type { Clock } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { isMeshError, MeshError } from "../core/errors.ts";
import { instanceHeader } from "../core/http/own-headers.ts";
import { headerOf } from "../core/http/response-headers.ts";
import { warnOfThrow } from "../core/observing/fence.ts";
import { RecentCount } from "../core/observing/recent-count.ts";
import { excuseResponse, isUnreachable, noteOutcome, type Outcome, outcomeOfAttempt, outcomeOfResponse } from "../core/outcome.ts";
import { countedStatus } from "../core/rpc/rpc-outcome.ts";
import { rpcStatus, rpcStatusName } from "../core/rpc/rpc-status.ts";
import type { SendProgress } from "../core/send-progress.ts";
import { statisticsOf, type Upstream } from "../core/upstream.ts";
import type { HeadVerdict, PassiveHealth } from "../rotation/passive-health.ts";
import { type ContentJudge, DecodedContent, isDecoded } from "./decoded-content.ts";
import { Patience } from "./patience.ts";

/** The parts that an {@link AttemptLedger} reports to. */
export interface AttemptLedgerOptions {
  /** The balancer's picker, where it learns from attempts. */
  readonly picker: Pick<Picker, "onAttempt">;
  /** Judges instances by their attempts; `undefined` where breakers are switched off. */
  readonly passiveHealth: Pick<PassiveHealth, "admit" | "answered" | "ended" | "failed"> | undefined;
  /** Judges waits that time limits have ended, and learns how long answers take. @default with the default limits of a service */
  readonly patience?: Pick<Patience, "learn" | "isEnough">;
  readonly clock: Clock;
  /** Called when an attempt has ended: its instance has room for another one. */
  readonly onEnd?: (() => void) | undefined;
  /** Called when no connection could be made: discovery's data may be out of date. */
  readonly onUnreachable?: (() => void) | undefined;
  /** Called with what an instance says of itself in a response, by {@link instanceHeader}. */
  readonly onSaid?: ((upstream: Upstream, said: string) => void) | undefined;
}

/** {@link AttemptLedgerOptions} with the defaults filled in. */
export type JudgingOptions = AttemptLedgerOptions & Required<Pick<AttemptLedgerOptions, "patience">>;

/**
 * Keeps the books of every attempt, by whichever door it came in: attempts in flight, attempts made, failures and latency of its upstream, what
 * the picker learns, and the permit of the instance's circuit. Nothing else writes an upstream's statistics, so that `explain()`, the balancer
 * and the metrics see the same numbers for `mesh.fetch`, a dispatcher, an agent and an upgraded connection.
 */
export class AttemptLedger {
  readonly options: JudgingOptions;

  constructor(options: AttemptLedgerOptions) {
    this.options = {
      ...options,
      patience: options.patience ?? new Patience({ attemptTimeoutMs: 2_000, timeoutMs: 10_000, bodyIdleTimeoutMs: 30_000 }),
    };
  }

  /** Reports to another picker from the next attempt on, and to other judges at once: what is in flight keeps its permits, and stays counted. */
  adjust(parts: Pick<AttemptLedgerOptions, "picker" | "passiveHealth">): void {
    Object.assign(this.options, parts);
  }

  /** An attempt at `upstream` begins; it is in flight until its {@link Attempt.end}. */
  begin(upstream: Upstream, request: MeshRequest): Attempt {
    return new Attempt(this, upstream, request);
  }
}

/** The books of one attempt: `sent`, then `head`, then `end`. Each counts once, and `end` may come at any time. */
export class Attempt implements ContentJudge {
  readonly #options: JudgingOptions;
  readonly #upstream: Upstream;
  readonly #request: MeshRequest;
  readonly #permit: CircuitPermit | undefined;
  /** `undefined` until the attempt is sent: before that, its time is not the instance's. */
  #sentAt: number | undefined = undefined;
  #progress: SendProgress | undefined = undefined;
  #learner: AttemptLearner | undefined = undefined;
  /** `undefined` until the head has come. */
  #response: MeshResponse | undefined = undefined;
  #verdict: HeadVerdict | undefined = undefined;
  /** The content of a response that is decoded; `undefined` for every other one. */
  #content: DecodedContent | undefined = undefined;
  /** Whether a failure of it is in what is shown. */
  #hasFailed = false;
  #hadFailedHead = false;
  #hasEnded = false;

  constructor({ options }: AttemptLedger, upstream: Upstream, request: MeshRequest) {
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

  /**
   * The request is sent, or has been sent whole where the client writes it: from now on the time is the instance's, but for that in which its body
   * goes out.
   */
  sent(progress?: SendProgress): void {
    if (this.#hasEnded || this.#sentAt !== undefined) return;
    this.#progress = progress;
    this.#sentAt = this.#options.clock.now();
    countRecent(this.#upstream, this.#sentAt);
    this.#learner = this.#beginLearning();
  }

  /** The response head has come. */
  head(response: MeshResponse): void {
    if (this.#hasEnded || this.#response !== undefined) return;
    this.#response = response;
    const said = headerOf(response, instanceHeader);
    if (said !== undefined) this.#options.onSaid?.(this.#upstream, said);
    if (this.#request.rpc !== undefined) this.#judgeStatus(response);
    if (hasFailed(response)) this.#countFailure();
    this.#request.trace?.ended(this.#upstream, { status: response.status });
    if (isDecoded(this.#request, response)) this.#content = new DecodedContent(response.body, this.#options.clock, this);
    this.#hadFailedHead = this.#request.rpc !== undefined && this.hasFailedHead;
    if (this.#permit !== undefined) this.#verdict = this.#options.passiveHealth?.answered(this.#upstream, this.#permit, response);
    if (this.#sentAt === undefined) return;
    const now = this.#options.clock.now();
    const ms = now - (this.#progress?.at ?? this.#sentAt);
    learnLatency(this.#upstream, ms);
    this.#options.patience.learn(ms, now);
    try {
      this.#learner?.onHead(response);
    } catch (thrown) {
      warnOfThrow("onHead of a picker's learner", thrown);
    }
  }

  /** The body has closed, or the attempt failed before its head. `error`: its failure; `undefined` for a whole response. */
  end(error: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // A whole body is no proof yet where its content is decoded. The instance has room all the same.
    const isProof = error !== undefined || this.#content === undefined || !this.#content.isOpen();
    const outcome = isProof ? this.#judge(error) : undefined;
    statisticsOf(this.#upstream).inFlight--;
    // An instance that cannot be reached fails before anything is sent.
    if (outcome === "failure" && this.#sentAt === undefined) {
      countRecent(this.#upstream, this.#options.clock.now());
      this.#learner = this.#beginLearning();
    }
    if (isProof) this.#learnEnd(error ?? this.#lateFailure(outcome));
    this.#options.onEnd?.();
  }

  judgeContent(error: unknown): void {
    if (!this.#hasEnded) {
      this.end(error);
      return;
    }
    this.#judge(error);
    this.#learnEnd(error);
  }

  #countFailure(): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    statisticsOf(this.#upstream).failures++;
  }

  /** Tells all that judge the instance how the attempt has ended. */
  #judge(error: unknown): Outcome {
    const outcome = this.#outcome(error);
    // A body may break after a head that was counted.
    if (outcome === "failure" || (error === undefined && this.#response !== undefined && hasFailed(this.#response))) this.#countFailure();
    if (this.#response === undefined && error !== undefined) this.#request.trace?.failed(this.#upstream, error);
    if (outcome === "failure" && isUnreachable(error)) this.#options.onUnreachable?.();
    this.#reportEnd(error, outcome);
    return outcome;
  }

  /** How the attempt ended, as evidence about the instance. */
  #outcome(error: unknown): Outcome {
    if (error === undefined) return this.#request.rpc === undefined ? "success" : this.#outcomeOfStatus();
    const { patience } = this.#options;
    const isRefusable = this.#progress?.isOut === false || hasLargeHead(this.#request);
    const outcome = outcomeOfAttempt({ error, status: this.#response?.status, waitedMs: this.#waitedMs(), patience, isRefusable });
    noteOutcome(error, outcome);
    // A body that its reader has given up: the instance had answered.
    const isOver = this.#response !== undefined && outcome === "neutral" && !this.#isGivenUp(error) && !isTimeout(error);
    return isOver ? "success" : outcome;
  }

  /** The failure that stands behind the messages of a remote procedure call, as pickers learn it: their `onHead` has seen a success. */
  #lateFailure(outcome: Outcome | undefined): MeshError | undefined {
    if (outcome !== "failure" || this.#hadFailedHead || this.#response?.rpcStatus === undefined) return undefined;
    const { service, address } = this.#upstream;
    const message = `${address} of "${service}" ended the call with ${rpcStatusName(this.#response.rpcStatus)}`;
    return new MeshError("ERR_MESH_PROTOCOL", message, { service, attempts: this.#request.attempts, stack: false });
  }

  /** The outcome of a remote procedure call that has come to its end: the status may have come behind its messages. */
  #outcomeOfStatus(): Outcome {
    if (this.#response === undefined) return "success";
    this.#judgeStatus(this.#response);
    return outcomeOfResponse(this.#response);
  }

  /** An instance may say that the time of the call has passed before this process does; whether it had enough is judged as for that. */
  #judgeStatus(response: MeshResponse): void {
    const code = response.rpcStatus;
    if (code === undefined) return;
    const record = this.#request.attempts.findLast(({ endpoint }) => endpoint === this.#upstream.id);
    if (record !== undefined) (record as { rpcStatus?: string }).rpcStatus = rpcStatusName(code);
    if (code !== rpcStatus.DEADLINE_EXCEEDED) return;
    const waitedMs = this.#sentAt === undefined ? 0 : this.#options.clock.now() - this.#sentAt;
    if (!this.#options.patience.isEnough(waitedMs, false)) excuseResponse(response);
  }

  // The picker may be the program's, and what it learns comes from sockets and timers: an error of it would end the process.

  #beginLearning(): AttemptLearner | undefined {
    try {
      return this.#options.picker.onAttempt?.(this.#upstream, this.#request);
    } catch (thrown) {
      warnOfThrow("onAttempt of a picker", thrown);
      return undefined;
    }
  }

  #learnEnd(error: unknown): void {
    try {
      this.#learner?.onEnd(error);
    } catch (thrown) {
      warnOfThrow("onEnd of a picker's learner", thrown);
    }
    this.#learner = undefined;
  }

  /** How long the instance had been waited for, in milliseconds. */
  #waitedMs(): number {
    if (this.#response !== undefined) return this.#response.body.waitedMs ?? 0;
    // The caller's own source is waited for.
    if (this.#sentAt === undefined || this.#progress?.awaitsSource) return 0;
    return this.#options.clock.now() - (this.#progress?.arrivedAt ?? this.#sentAt);
  }

  /** Whether the end is the cancellation of the call: its deadline or the caller's abort. */
  #isGivenUp(error: unknown): boolean {
    return error === this.#request.cancellation.reason;
  }

  #reportEnd(error: unknown, outcome: Outcome): void {
    const { passiveHealth } = this.#options;
    if (this.#permit === undefined) return;
    if (this.#response === undefined) passiveHealth?.failed(this.#upstream, this.#permit, error, outcome);
    else if (this.#verdict !== undefined)
      passiveHealth?.ended(this.#upstream, this.#permit, this.#verdict, countedStatus(this.#response), outcome);
  }
}

/** In bytes: what nginx, Apache and most others take of one header. */
const largeHeadBytes = 8_192;

/** Whether the head of a request is larger than many servers take. */
function hasLargeHead({ path, headers }: MeshRequest): boolean {
  let bytes = path.length;
  for (const name in headers) bytes += name.length + String(headers[name]).length;
  return bytes > largeHeadBytes;
}

function isTimeout(error: unknown): boolean {
  return isMeshError(error) && error.code === "ERR_MESH_TIMEOUT";
}

/** Whether a response counts as a failure in what is shown: every 5xx, also those that no breaker counts. */
function hasFailed(response: MeshResponse): boolean {
  return countedStatus(response) >= 500 && outcomeOfResponse(response) !== "neutral";
}

function countRecent(upstream: Upstream, now: number): void {
  const statistics = statisticsOf(upstream);
  statistics.recent ??= new RecentCount();
  statistics.recent.add(now);
}

/** The weight of the newest latency in the moving average. */
const smoothing = 0.1;

function learnLatency(upstream: Upstream, ms: number): void {
  const statistics = statisticsOf(upstream);
  statistics.latencyMs = statistics.latencyMs === 0 ? ms : statistics.latencyMs + smoothing * (ms - statistics.latencyMs);
}
