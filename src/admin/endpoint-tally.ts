import type { Clock } from "../core/clock.ts";
import type { AttemptEnd, AttemptObserver } from "../core/observing/observer.ts";
import { countedStatus } from "../core/rpc/rpc-outcome.ts";

const rateMs = 10_000;
const successMs = 30_000;

/** Rate and success of the attempts at one instance, as exponentially decaying sums: five numbers, whatever the traffic. */
export class EndpointTally implements AttemptObserver {
  readonly #service: { attempted(hasFailed: boolean): void };
  readonly #clock: Clock;
  readonly #startMs: number;
  #atMs: number;
  /** Attempts per second, decaying over ten seconds. */
  #rate = 0;
  /** Attempts and failures, decaying over thirty seconds. */
  #attempts = 0;
  #failures = 0;

  constructor(service: { attempted(hasFailed: boolean): void }, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
    this.#startMs = clock.now();
    this.#atMs = this.#startMs;
  }

  onEnd({ record, error, cancelled, rpcStatus }: AttemptEnd): void {
    if (cancelled) return;
    const hasFailed = error !== undefined || countedStatus({ status: record.status ?? 0, rpcStatus }) >= 500;
    this.#fade();
    this.#rate += 1_000 / rateMs;
    this.#attempts++;
    if (hasFailed) this.#failures++;
    this.#service.attempted(hasFailed);
  }

  /** Attempts per second. */
  get rps(): number {
    this.#fade();
    // Corrects for the time before the first attempt, which is missing from a sum that began a moment ago.
    return this.#rate / (1 - Math.exp(-Math.max(1_000, this.#atMs - this.#startMs) / rateMs));
  }

  /** Share of the attempts that succeeded, 0 to 1; `null` without a recent attempt. */
  get success(): number | null {
    this.#fade();
    return this.#attempts < 0.05 ? null : 1 - this.#failures / this.#attempts;
  }

  #fade(): void {
    const now = this.#clock.now();
    const ms = now - this.#atMs;
    if (ms <= 0) return;
    this.#atMs = now;
    this.#rate *= Math.exp(-ms / rateMs);
    const kept = Math.exp(-ms / successMs);
    this.#attempts *= kept;
    this.#failures *= kept;
  }
}
