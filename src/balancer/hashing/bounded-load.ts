import type { Upstream } from "../../core/upstream.ts";
import { hashWeights } from "../lists/weights.ts";

/** Number of in-flight counts that each pick reads. */
const readsPerPick = 16;

/**
 * Bounds the requests in flight of each upstream to `balanceFactor` percent of the average by weight, rounded up (Mirrokni, Thorup,
 * Zadimoghaddam: Consistent Hashing with Bounded Loads, 2017).
 *
 * The average is exact up to 16 upstreams. Reading 10,000 counts on each pick would cost tens of microseconds; instead each pick
 * reads 16 of them in turn, so that the sum is that of the last n / 16 picks, wrong by at most 1/16 of a request per upstream.
 */
export class BoundedLoad {
  readonly #upstreams: readonly Upstream[];
  readonly #weights: Float64Array;
  readonly #seen: Float64Array;
  readonly #perWeight: number;
  #total = 0;
  #next = 0;

  constructor(balanceFactor: number, upstreams: readonly Upstream[]) {
    this.#upstreams = upstreams;
    this.#weights = hashWeights(upstreams);
    this.#seen = Float64Array.from(upstreams, ({ inFlight }) => inFlight);
    this.#total = this.#seen.reduce((sum, inFlight) => sum + inFlight, 0);
    const totalWeight = this.#weights.reduce((sum, weight) => sum + weight, 0);
    this.#perWeight = balanceFactor / 100 / (totalWeight || 1);
  }

  /** Reads the next counts; to be called once for each pick, before {@link hasRoom}. */
  refresh(): void {
    const upstreams = this.#upstreams;
    const seen = this.#seen;
    let total = this.#total;
    let next = this.#next;
    for (let reads = Math.min(readsPerPick, upstreams.length); reads > 0; reads--) {
      next = next + 1 < upstreams.length ? next + 1 : 0;
      const { inFlight } = upstreams[next] as Upstream;
      total += inFlight - (seen[next] as number);
      seen[next] = inFlight;
    }
    this.#total = total;
    this.#next = next;
  }

  /** Whether the upstream at `index` stays within its bound with one more request. */
  hasRoom(index: number): boolean {
    const { inFlight } = this.#upstreams[index] as Upstream;
    this.#total += inFlight - (this.#seen[index] as number);
    this.#seen[index] = inFlight;
    return inFlight < Math.ceil((this.#total + 1) * (this.#weights[index] as number) * this.#perWeight);
  }
}
