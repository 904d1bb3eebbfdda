import type { EndpointExplanation } from "../../index.ts";
import type { DemoStatistics } from "./demo-statistics.ts";

/** Tells when the picker begins to avoid an instance, and when it ends that. */
export class Avoidance {
  readonly #statistics: Pick<DemoStatistics, "note" | "totals">;
  readonly #avoided = new Set<string>();

  constructor(statistics: Pick<DemoStatistics, "note" | "totals">) {
    this.#statistics = statistics;
  }

  /** Looks at the instances: often, since an instance may be avoided for a moment only. */
  look(endpoints: readonly Pick<EndpointExplanation, "endpoint" | "avoided" | "candidate">[]): void {
    for (const { endpoint, avoided, candidate } of endpoints) {
      if ((avoided !== undefined) === this.#avoided.has(endpoint.id)) continue;
      if (avoided === undefined) {
        this.#avoided.delete(endpoint.id);
        // One that is out of rotation is avoided no longer, and not taken either.
        if (candidate) this.#statistics.note(`the picker takes ${endpoint.id} again`);
      } else {
        this.#avoided.add(endpoint.id);
        this.#statistics.totals.avoided++;
        this.#statistics.note(`the picker avoids ${endpoint.id}: ${avoided}`);
      }
    }
  }
}
