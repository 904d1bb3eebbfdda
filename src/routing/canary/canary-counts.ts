/** The outcomes of the calls that one target was given during one step. */
export interface TargetCounts {
  calls: number;
  /** Calls of which an attempt failed, or that failed themselves. */
  failed: number;
  /** Those of them that are evidence: of the calls with a key, the first one that failed of each key. */
  counted: number;
  /** Calls that were answered well, and whose time was compared. */
  timed: number;
  /** Those of them that took longer than the bound for their target. */
  slow: number;
}

/** The outcomes during one step: of the stable target, and of the canary. */
export interface StepCounts {
  readonly stable: TargetCounts;
  readonly canary: TargetCounts;
}

/** Counts without any. */
export function noCounts(): StepCounts {
  return { stable: nothing(), canary: nothing() };
}

function nothing(): TargetCounts {
  return { calls: 0, failed: 0, counted: 0, timed: 0, slow: 0 };
}

/** The sums of what several processes have counted, step by step. */
export function sumOfCounts(all: readonly (readonly StepCounts[])[]): readonly StepCounts[] {
  const sums: StepCounts[] = [];
  for (const steps of all) {
    for (const [step, counts] of steps.entries()) {
      sums[step] ??= noCounts();
      addTo((sums[step] as StepCounts).stable, counts.stable);
      addTo((sums[step] as StepCounts).canary, counts.canary);
    }
  }
  return sums;
}

/** The sum over the steps. */
export function totalOf(steps: readonly StepCounts[]): StepCounts {
  return sumOfCounts(steps.map((step) => [step]))[0] ?? noCounts();
}

function addTo(sum: TargetCounts, counts: TargetCounts): void {
  for (const name of names) sum[name] += counts[name];
}

const names = ["calls", "failed", "counted", "timed", "slow"] as const satisfies readonly (keyof TargetCounts)[];

/** Counts as a shared state holds them: ten numbers for each step. */
export function writtenCounts(steps: readonly StepCounts[]): readonly (readonly number[])[] {
  return steps.map(({ stable, canary }) => [stable, canary].flatMap((counts) => names.map((name) => counts[name])));
}

/** Reads {@link writtenCounts}; `undefined` for anything else. */
export function readCounts(value: unknown): readonly StepCounts[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const steps: StepCounts[] = [];
  for (const row of value as unknown[]) {
    if (!Array.isArray(row) || row.length !== 2 * names.length) return undefined;
    if (!row.every((number) => Number.isSafeInteger(number) && number >= 0)) return undefined;
    const counts = noCounts();
    for (const [at, name] of names.entries()) {
      counts.stable[name] = row[at] as number;
      counts.canary[name] = row[at + names.length] as number;
    }
    steps.push(counts);
  }
  return steps;
}
