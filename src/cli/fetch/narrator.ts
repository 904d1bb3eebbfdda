import { describeError } from "../../core/errors.ts";
import { type EventHandlers, handleEvent } from "../../core/observing/events.ts";
import type {
  AttemptEnd,
  AttemptObserver,
  CallEnd,
  CallObserver,
  EndpointsUpdate,
  MeshEvent,
  MeshRequest,
  Observer,
  RetryDenial,
  Upstream,
} from "../../extend.ts";
import type { AttemptRecord } from "../../index.ts";

const denials: Readonly<Record<RetryDenial, string>> = {
  budget: "the retry budget is used up",
  attempts: "all attempts have been made",
  deadline: "the time left is too short",
  "not-safe": "it may have been executed, and the method is not safe to repeat (--idempotent asserts that it is)",
  body: "the body cannot be sent again",
  pushback: "the instance asks for no further attempt (grpc-retry-pushback-ms)",
};

/** Follows one call: keeps its attempts, and writes a line about everything that happens. */
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

  onEvent(event: MeshEvent): void {
    handleEvent(this.#handlers, event);
  }

  readonly #handlers: EventHandlers = {
    retry: ({ reason, delayMs }) => this.#note(`another attempt in ${ms(delayMs)}, because of ${reason}`),
    "retry-denied": ({ denial }) => this.#note(`no other attempt: ${denials[denial]}`),
    hedge: ({ delayMs }) => this.#note(`a second attempt beside the first, which takes longer than ${ms(delayMs)}`),
    // The result of the call shows which attempt was taken.
    "hedge-won": undefined,
    endpoints: (update) => this.#answered(update),
    "discovery-error": ({ error }) => {
      const told = describeError(error);
      if (told !== this.#lastError) this.#note(`discovery failed: ${told}`);
      this.#lastError = told;
    },
    "instance-state": ({ upstream, state, rule }) => this.#note(`${upstream.id} is ${state}${rule === undefined ? "" : ` (${rule})`}`),
    // `--trace` shows it.
    trace: undefined,
    breaker: ({ state }) => this.#note(`breaker of the service: ${state}`),
    canary: ({ rule, why }) => this.#note(`canary of "${rule}": ${why}`),
    // It registers nothing.
    registration: undefined,
    serving: undefined,
    "server-connection": undefined,
    configured: undefined,
    "configuration-refused": undefined,
    mirror: undefined,
    fault: ({ rule, fault }) => this.#note(`the rule ${rule} makes a fault on purpose: ${fault}`),
  };

  #answered({ service, endpoints, rejected, leftOut = [], quarantined }: EndpointsUpdate): void {
    const told = `${endpoints.length} endpoint${endpoints.length === 1 ? "" : "s"} of ${service}${quarantined ? " (in quarantine)" : ""}`;
    if (told === this.#lastUpdate) return;
    this.#lastUpdate = told;
    this.#note(`${this.#source} answered after ${ms(performance.now() - this.#startedAt)}: ${told}`);
    for (const { id = "an entry without an id", reason } of leftOut) this.#note(`not used: ${reason}: ${id}`);
    for (const { entry, reason } of rejected) this.#note(`not used: ${reason}: ${(JSON.stringify(entry) ?? "").slice(0, 300)}`);
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
