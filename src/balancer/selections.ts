import type { MeshRequest } from "../core/dispatch.ts";
import type { Subset } from "../core/routed.ts";
import type { Upstream } from "../core/upstream.ts";
import type { Selection } from "./selection.ts";

/** Subsets of one service whose lists are kept; beyond it the one that was made first is made again. */
const maxSubsets = 256;

/** The selection of a subset, as `explain` shows it. */
export interface SubsetSelection {
  readonly subset: Subset;
  readonly selection: Selection;
}

/** The selection of all instances of a service, and those of the subsets that routes lead to, each made by the first pick from it. */
export class Selections {
  readonly whole: Selection;
  readonly #create: (subset: Subset) => Selection;
  readonly #ofSubsets = new Map<Subset, Selection>();

  constructor(whole: Selection, create: (subset: Subset) => Selection) {
    this.whole = whole;
    this.#create = create;
  }

  /** Those of the subsets, the oldest first. */
  get subsets(): readonly SubsetSelection[] {
    return [...this.#ofSubsets].map(([subset, selection]) => ({ subset, selection }));
  }

  /** The selection that a call is picked from: that of its subset, or the whole one where that is empty and its route allows any. */
  of({ routed }: Pick<MeshRequest, "routed">): Selection {
    const subset = routed?.subset;
    if (subset === undefined) return this.whole;
    const selection = this.#ofSubsets.get(subset) ?? this.#add(subset);
    return subset.whenEmpty === "any" && selection.isEmpty ? this.whole : selection;
  }

  /** Whether the subset of a call leaves out an instance. */
  leavesOut({ routed }: Pick<MeshRequest, "routed">, upstream: Upstream): boolean {
    return routed?.subset !== undefined && this.of({ routed }) !== this.whole && !routed.subset.has(upstream.endpoint);
  }

  each(act: (selection: Selection) => void): void {
    act(this.whole);
    for (const selection of this.#ofSubsets.values()) act(selection);
  }

  /** Forgets the lists of all subsets: those that are still in use are made anew. */
  forget(): void {
    this.#ofSubsets.clear();
  }

  #add(subset: Subset): Selection {
    const [oldest] = this.#ofSubsets.keys();
    if (oldest !== undefined && this.#ofSubsets.size >= maxSubsets) this.#ofSubsets.delete(oldest);
    const selection = this.#create(subset);
    this.#ofSubsets.set(subset, selection);
    return selection;
  }
}
