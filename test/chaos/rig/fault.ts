import type { Figures } from "./reconcile.ts";
import type { AttemptTrace, ClientEvent, JournalEntry, LedgerEntry, ProcessFigures } from "./records.ts";
import type { World } from "./world.ts";

/** What a row may look at when it says what it expects. */
export interface Outcome {
  readonly figures: Figures;
  readonly ledger: readonly LedgerEntry[];
  readonly journal: readonly JournalEntry[];
  readonly attempts: readonly AttemptTrace[];
  readonly events: readonly ClientEvent[];
  /** A scrape of each client that has metrics. */
  readonly metrics: readonly string[];
  readonly injectedAt: number;
  readonly healedAt: number | undefined;
  readonly seconds: number;
  /** All clients together. */
  readonly rps: number;
  /** Sum over the clients, before the load and after it. */
  readonly before: ProcessFigures;
  readonly after: ProcessFigures;
  /** The longest time that a client's process stood still because the machine was busy. */
  readonly lagMs: number;
}

/** Something that a row says must hold, with what was found. */
export interface Claim {
  readonly what: string;
  readonly holds: boolean;
  /** By how much a time was missed. */
  readonly excessMs?: number;
}

/** Servers and programs that a row cannot do without. */
export type Need = "consul" | "eureka" | "toxiproxy" | "prlimit";

/** One row of the fault table. `State` is what `setup` made, handed to the other three. */
export interface FaultOf<State> {
  /** `F35`. */
  readonly id: string;
  /** In kebab-case. */
  readonly name: string;
  readonly needs?: readonly Need[];
  /** The load lasts at least so long, whatever the run was asked for. */
  readonly minSeconds?: number;
  /** The load is at most this, all clients together, in requests per second. */
  readonly maxRps?: number;
  /** Exactly so many clients. */
  readonly clients?: number;
  /** When the fault comes and goes, as parts of the load's duration: 0.25 and 0.6. */
  readonly from?: number;
  readonly to?: number;
  /** Attempts that the servers may see beyond 1.2 a request and 10 a second, a request. */
  readonly extraAttempts?: number;
  /** Says what stands: instances, peers, registries, and the load. */
  setup(world: World): Promise<State>;
  inject(state: State, world: World): void | Promise<void>;
  heal?(state: State, world: World): void | Promise<void>;
  /** What must hold, beside what holds of every row. */
  expect(outcome: Outcome, state: State, world: World): readonly Claim[];
}

/** One row, its state in itself. */
export interface Fault extends Omit<FaultOf<never>, "setup" | "inject" | "heal" | "expect"> {
  begin(world: World): Promise<{
    inject(): Promise<void>;
    heal: (() => Promise<void>) | undefined;
    expect(outcome: Outcome): readonly Claim[];
  }>;
}

/** Makes a row of its four parts. */
export function fault<State>({ setup, inject, heal, expect, ...rest }: FaultOf<State>): Fault {
  return {
    ...rest,
    async begin(world) {
      const state = await setup(world);
      return {
        inject: async () => await inject(state, world),
        heal: heal === undefined ? undefined : async () => await heal(state, world),
        expect: (outcome) => expect(outcome, state, world),
      };
    },
  };
}
