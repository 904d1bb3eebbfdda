import type { Scenario, SimulatedClient, SimulatedOptions, SimulationResult } from "../../src/testing/index.ts";
import type { Bound } from "../report.ts";

/** A scenario that every picker is tried on. */
export interface Case {
  /** `suite/name`. */
  readonly name: string;
  /** What happens in it, in a sentence. */
  readonly about: string;
  readonly scenario: Omit<Scenario, "name" | "options" | "seed">;
  /** Options of the clients beside the picker. */
  readonly options: Omit<SimulatedOptions, "picker"> | ((client: SimulatedClient) => Omit<SimulatedOptions, "picker">);
  /** Tried with these only. */
  readonly pickers?: readonly string[];
  /** It takes long and is played only when it is asked for. */
  readonly isLarge?: boolean;
  /** In how many runs with other clients each, whose loads are added up. @default 1 */
  readonly groups?: number;
  /** What others have found in it. */
  readonly published?: readonly Row[];
  /** What is promised of single pickers. */
  readonly bounds?: (figures: ReadonlyMap<string, Figures>) => readonly Bound[];
  /** More columns. */
  readonly extra?: (result: SimulationResult) => Readonly<Record<string, number>>;
  /** Columns of `extra` of which the highest of several runs counts, and not the mean. */
  readonly worst?: readonly string[];
}

/** What one picker reached, or what is published of another client; `undefined` where nothing is known. */
export interface Row {
  readonly name: string;
  readonly figures: { readonly [Key in keyof Figures]?: Figures[Key] | undefined };
}

/** The figures of a table. */
export interface Figures {
  readonly successPercent: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly attempts: number;
  readonly extra: Readonly<Record<string, number>>;
}

/** The figures of a table, out of a result. */
export function figuresOf(result: SimulationResult, { extra }: Pick<Case, "extra">): Figures {
  const { successRatio, meanMs, p50Ms, p99Ms, p999Ms, attemptsPerRequest } = result;
  return { successPercent: 100 * successRatio, meanMs, p50Ms, p99Ms, p999Ms, attempts: attemptsPerRequest, extra: extra?.(result) ?? {} };
}

/** The mean of several runs; the highest of the columns in `worst`. */
export function meanFigures(runs: readonly Figures[], worst: readonly string[] = []): Figures {
  const mean = (read: (figures: Figures) => number) => runs.reduce((sum, each) => sum + read(each), 0) / runs.length;
  return {
    successPercent: mean((each) => each.successPercent),
    meanMs: mean((each) => each.meanMs),
    p50Ms: mean((each) => each.p50Ms),
    p99Ms: mean((each) => each.p99Ms),
    p999Ms: mean((each) => each.p999Ms),
    attempts: mean((each) => each.attempts),
    extra: Object.fromEntries(
      Object.keys(runs[0]?.extra ?? {}).map((key) => [
        key,
        worst.includes(key) ? Math.max(...runs.map((each) => each.extra[key] ?? 0)) : mean((each) => each.extra[key] ?? 0),
      ]),
    ),
  };
}
