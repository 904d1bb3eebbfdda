/** The result of a bench: one row per case, and the bounds that the project promises. */
export interface BenchReport {
  readonly bench: string;
  /** The meaning of the columns, in a sentence. */
  readonly about: string;
  readonly node: string;
  readonly rounds: number;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly bounds: readonly Bound[];
  /** Ratios by name, the lower the better, for bench/baseline.json. Those whose names begin with "mesh" are guarded. */
  readonly ratios: Readonly<Record<string, number>>;
  /** How far a ratio may be above the baseline, as a share of it. @default 0.15 */
  readonly margin?: number;
}

/** A value and the bound that is promised of it. */
export interface Bound {
  readonly what: string;
  readonly value: number;
  readonly relation: "at most" | "at least";
  readonly bound: number;
  readonly held: boolean;
}

/** A bound that is held when `value` is at most `bound`. */
export function atMost(what: string, value: number, bound: number): Bound {
  return { what, value, relation: "at most", bound, held: value <= bound };
}

/** A bound that is held when `value` is at least `bound`. */
export function atLeast(what: string, value: number, bound: number): Bound {
  return { what, value, relation: "at least", bound, held: value >= bound };
}

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** A number with its significant digits. */
export function shown(value: string | number): string {
  if (typeof value === "string") return value;
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(3);
}

/** Prints a report as a table for people. */
export function printReport(report: BenchReport): void {
  const cells = [report.columns, ...report.rows].map((row) => row.map(shown));
  const widths = report.columns.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  console.log(`\n${report.bench} — ${report.about}`);
  console.log(`Node ${report.node}, ${report.rounds} rounds\n`);
  cells.forEach((row, index) => {
    console.log(
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  "),
    );
    if (index === 0) console.log(widths.map((width) => "-".repeat(width)).join("  "));
  });
  if (report.bounds.length > 0) console.log();
  for (const { what, value, relation, bound, held } of report.bounds)
    console.log(`${held ? "held" : "BROKEN"}: ${what} ${shown(value)} (${relation} ${shown(bound)})`);
}

/** Writes the progress of a bench to stderr: over the line before on a terminal, on a new line elsewhere. */
export function progress(bench: string, text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${bench}: ${text}`);
  else process.stderr.write(`${bench}: ${text}\n`);
}

/** Ends the line that {@link progress} has left open. */
export function progressDone(): void {
  if (process.stderr.isTTY) process.stderr.write("\n");
}
