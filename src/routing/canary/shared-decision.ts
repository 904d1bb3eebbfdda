import { readCounts, type StepCounts, writtenCounts } from "./canary-counts.ts";
import { type CanaryDecision, readDecision } from "./canary-decision.ts";
import type { CanaryEntry, CanaryState } from "./canary-state.ts";

/** The name of the entry with the decision. */
const decisionName = "decision";

/** The knowledge of all processes together about a canary. */
export interface SharedKnowledge {
  /** `undefined` before the first process has decided. */
  readonly decision: CanaryDecision | undefined;
  /** The counts of each process for the run of the decision, those of this process as it has them now. */
  readonly counts: readonly (readonly StepCounts[])[];
}

/** The decision on one canary in a shared state, and the counts of every process beside it. */
export class SharedDecision {
  readonly #state: CanaryState;
  readonly #key: string;
  readonly #steps: number;
  /** The name of this process among the others. */
  readonly #own: string;
  #entry: CanaryEntry | undefined = undefined;

  constructor(state: CanaryState, key: string, steps: number, own: string) {
    this.#state = state;
    this.#key = key;
    this.#steps = steps;
    this.#own = own;
  }

  get name(): string {
    return this.#state.name;
  }

  /** Publishes the counts of this process, and reads the decision and those of all. */
  async exchange(run: number, counts: readonly StepCounts[], signal: AbortSignal): Promise<SharedKnowledge> {
    const value = JSON.stringify({ run, counts: writtenCounts(counts) });
    await this.#state.write(this.#key, this.#own, value, "own", signal);
    const entries = await this.#state.read(this.#key, signal);
    this.#entry = entries.get(decisionName);
    const decision = this.#entry === undefined ? undefined : readDecision(this.#entry.value, this.#steps);
    const all: (readonly StepCounts[])[] = [];
    for (const [name, entry] of entries) {
      if (name === decisionName || name === this.#own) continue;
      const published = readPublished(entry.value, this.#steps);
      if (published !== undefined && published.run === (decision?.run ?? run)) all.push(published.counts);
    }
    if (run === (decision?.run ?? run)) all.push(counts);
    return { decision, counts: all };
  }

  /** Puts a decision in the place of the one that was read last; `false` where another process has put one there meanwhile. */
  propose(decision: CanaryDecision, signal: AbortSignal): Promise<boolean> {
    const condition = this.#entry === undefined ? "absent" : { version: this.#entry.version };
    return this.#state.write(this.#key, decisionName, JSON.stringify(decision), condition, signal);
  }
}

function readPublished(text: string, steps: number): { readonly run: number; readonly counts: readonly StepCounts[] } | undefined {
  try {
    const value = JSON.parse(text) as { readonly run?: unknown; readonly counts?: unknown } | null;
    const counts = readCounts(value?.counts);
    return counts === undefined || counts.length > steps || typeof value?.run !== "number" ? undefined : { run: value.run, counts };
  } catch {
    return undefined;
  }
}
