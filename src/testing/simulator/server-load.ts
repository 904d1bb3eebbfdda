/** Path at which a simulated server reports its load: the default of the prequal picker. */
export const probePath = "/.inmesh/load";

/** Number of latest responses that are kept, and number of those that an estimate is made from. */
const remembered = 64;
const sampled = 9;
/** Time constant of the rates, in milliseconds. */
const rateMs = 1_000;

/** The load of a server, as it reports it: ORCA's `endpoint-load-metrics` in its text form. */
export class ServerLoad {
  readonly #answers: { readonly inFlight: number; readonly ms: number }[] = [];
  #next = 0;
  #requests = 0;
  #errors = 0;
  #atMs = 0;

  /** Counts a request that was answered after `ms`; `inFlight`: requests at the server when it arrived, itself included. */
  onEnd(nowMs: number, inFlight: number, ms: number, isError: boolean): void {
    this.#decay(nowMs);
    this.#requests++;
    if (isError) this.#errors++;
    this.#answers[this.#next] = { inFlight, ms };
    this.#next = (this.#next + 1) % remembered;
  }

  /**
   * The header of a response, as name and value.
   * @param utilisation the part of the workers that is busy; `undefined` where their number is unlimited
   */
  header(nowMs: number, inFlight: number, utilisation: number | undefined): readonly string[] {
    this.#decay(nowMs);
    const metrics: readonly (readonly [string, number | undefined])[] = [
      ["cpu_utilization", utilisation],
      ["rps_fractional", (this.#requests * 1_000) / rateMs],
      ["eps", (this.#errors * 1_000) / rateMs],
      ["named_metrics.rif", inFlight],
      ["named_metrics.latency_ms", this.#expectedMs(inFlight)],
    ];
    const text = metrics.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value.toFixed(6)}`]));
    return ["endpoint-load-metrics", `TEXT ${text.join(", ")}`];
  }

  /** The median duration of the requests that arrived when about as many were in flight as now (Prequal, section 4). */
  #expectedMs(inFlight: number): number | undefined {
    if (this.#answers.length === 0) return undefined;
    const times: number[] = [];
    for (let distance = 0; times.length < Math.min(sampled, this.#answers.length); distance++) {
      for (const answer of this.#answers) if (Math.abs(answer.inFlight - inFlight) === distance) times.push(answer.ms);
    }
    return times.sort((one, other) => one - other)[times.length >> 1];
  }

  #decay(nowMs: number): void {
    const factor = Math.exp((this.#atMs - nowMs) / rateMs);
    this.#requests *= factor;
    this.#errors *= factor;
    this.#atMs = nowMs;
  }
}
