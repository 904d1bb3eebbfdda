import { describeError } from "../../core/errors.ts";
import type {
  AttemptEnd,
  AttemptObserver,
  AttemptRecord,
  CallEnd,
  CallObserver,
  MeshRequest,
  Observer,
  RetryDenial,
  Upstream,
} from "../../index.ts";

const denials: Readonly<Record<RetryDenial, string>> = {
  budget: "the retry budget is used up",
  attempts: "all attempts have been made",
  deadline: "the time that is left does not suffice",
  "not-safe": "it may have been executed, and the method is not safe to repeat (--idempotent says it is)",
  body: "the body cannot be sent again",
};

/** Follows one call: keeps its attempts, and tells everything that happens to `note`. */
export class Narrator implements Observer {
  readonly attempts: AttemptRecord[] = [];
  /** How the call ended. */
  end: CallEnd | undefined = undefined;
  readonly #note: (text: string) => void;
  readonly #source: string;
  readonly #startedAt = performance.now();
  #lastError = "";
  #lastUpdate = "";

  constructor(source: string, note: (text: string) => void) {
    this.#source = source;
    this.#note = note;
  }

  onEndpoints({ service, endpoints, rejected, quarantined }: Parameters<NonNullable<Observer["onEndpoints"]>>[0]): void {
    const told = `${endpoints.length} endpoint${endpoints.length === 1 ? "" : "s"} of ${service}${quarantined ? " (in quarantine)" : ""}`;
    if (told === this.#lastUpdate) return;
    this.#lastUpdate = told;
    this.#note(`${this.#source} answered after ${ms(performance.now() - this.#startedAt)}: ${told}`);
    for (const { entry, reason } of rejected) this.#note(`not used: ${reason}: ${(JSON.stringify(entry) ?? "").slice(0, 300)}`);
  }

  onDiscoveryError(_service: string, error: unknown): void {
    const told = describeError(error);
    if (told !== this.#lastError) this.#note(`discovery failed: ${told}`);
    this.#lastError = told;
  }

  onCall(): CallObserver {
    return {
      onEnd: (end) => {
        this.end = end;
        this.#note(
          `${end.attempts} attempt${end.attempts === 1 ? "" : "s"}, ${ms(end.headMs)} to the response head or the error, ${ms(end.totalMs)} in all`,
        );
      },
    };
  }

  onAttempt(request: MeshRequest, upstream: Upstream): AttemptObserver {
    const number = request.attempt;
    this.#note(`attempt ${number}: ${upstream.id === upstream.address ? "" : `${upstream.id} at `}${upstream.address}`);
    return {
      onEnd: ({ record, error, cancelled }: AttemptEnd) => {
        this.attempts.push(record);
        this.#note(`attempt ${number}: ${resultOf(record, error, cancelled)}`);
      },
    };
  }

  onRetry(_request: MeshRequest, reason: string, delayMs: number): void {
    this.#note(`another attempt in ${ms(delayMs)}, because of ${reason}`);
  }

  onRetryDenied(_request: MeshRequest, denial: RetryDenial): void {
    this.#note(`no other attempt: ${denials[denial]}`);
  }

  onHedge(_request: MeshRequest, delayMs: number): void {
    this.#note(`a second attempt beside the first, which takes longer than ${ms(delayMs)}`);
  }

  onBreaker(_service: string, state: string, upstream: Upstream | undefined): void {
    this.#note(`breaker of ${upstream?.id ?? "the service"}: ${state}`);
  }
}

function resultOf({ status, code, phase, ms: duration, maybeExecuted }: AttemptRecord, error: unknown, cancelled: boolean): string {
  const executed = maybeExecuted ? "may have been executed" : "certainly not executed";
  if (cancelled) return `given up after ${ms(duration)} (${phase}), ${executed}`;
  if (error === undefined && status !== undefined) return `status ${status} after ${ms(duration)}`;
  const what = error === undefined ? (code ?? "failed") : describeError(error);
  return `${status === undefined ? "" : `status ${status}, then `}${what} after ${ms(duration)} (${phase}), ${executed}`;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
