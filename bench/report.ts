/** What a bench found: one row per case, and the bounds that the project promises. */
export interface BenchReport {
  readonly bench: string;
  /** What the columns mean, in a sentence. */
  readonly about: string;
  readonly node: string;
  readonly rounds: number;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly bounds: readonly { readonly what: string; readonly value: number; readonly bound: number; readonly held: boolean }[];
}

/** A bound that is held when `value` is at most `bound`. */
export function atMost(what: string, value: number, bound: number): BenchReport["bounds"][number] {
  return { what, value, bound, held: value <= bound };
}

/** The middle value, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** A number with as many digits as mean something. */
export function shown(value: string | number): string {
  if (typeof value === "string") return value;
  if (Number.isInteger(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
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
  for (const { what, value, bound, held } of report.bounds)
    console.log(`\n${held ? "held" : "BROKEN"}: ${what} ${shown(value)} (at most ${shown(bound)})`);
}
