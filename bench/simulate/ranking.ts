import { shown } from "../report.ts";
import type { Figures } from "./case.ts";
import type { Finding } from "./table.ts";

/** Success of two pickers that is as good as equal, in points. */
const sameSuccess = 0.1;

interface Standing {
  readonly picker: string;
  readonly ranks: number[];
  /** Points of success behind the best picker of the scenario. */
  readonly gaps: { readonly scenario: string; readonly value: number }[];
  /** Mean latency as a multiple of the fastest picker's of those whose success is as good as the best. */
  readonly ratios: { readonly scenario: string; readonly value: number }[];
}

/** Orders the pickers of one scenario: more success first, of equal success the lower mean. */
function order(rows: readonly { readonly name: string; readonly figures: Figures }[]): readonly (readonly string[])[] {
  const ranks: string[][] = [];
  const sorted = [...rows].sort(
    (one, other) =>
      Math.round(other.figures.successPercent / sameSuccess) - Math.round(one.figures.successPercent / sameSuccess) ||
      one.figures.meanMs - other.figures.meanMs,
  );
  let last: Figures | undefined;
  for (const { name, figures } of sorted) {
    const isEqual =
      last !== undefined &&
      Math.abs(last.successPercent - figures.successPercent) <= sameSuccess &&
      figures.meanMs <= 1.01 * last.meanMs &&
      figures.meanMs >= 0.99 * last.meanMs;
    if (isEqual) ranks.at(-1)?.push(name);
    else ranks.push([name]);
    last = figures;
  }
  return ranks;
}

/** Prints how the pickers stand over many scenarios: their mean rank and their worst cases against the best of each. */
export function printRanking(findings: readonly Finding[]): void {
  const standings = new Map<string, Standing>();
  for (const { name: scenario, rows } of findings) {
    const complete = rows as readonly { readonly name: string; readonly figures: Figures }[];
    const best = Math.max(...complete.map(({ figures }) => figures.successPercent));
    const fastest = Math.min(
      ...complete.filter(({ figures }) => figures.successPercent >= best - sameSuccess).map(({ figures }) => figures.meanMs),
    );
    let rank = 1;
    for (const equals of order(complete)) {
      for (const picker of equals) {
        const standing = standings.get(picker) ?? { picker, ranks: [], gaps: [], ratios: [] };
        standings.set(picker, standing);
        const figures = complete.find(({ name }) => name === picker)?.figures as Figures;
        standing.ranks.push(rank + (equals.length - 1) / 2);
        standing.gaps.push({ scenario, value: best - figures.successPercent });
        if (figures.successPercent >= best - sameSuccess) standing.ratios.push({ scenario, value: figures.meanMs / fastest });
      }
      rank += equals.length;
    }
  }
  const cells = [
    ["picker", "mean rank", "mean points behind", "worst points behind", "in", "× fastest mean, median", "worst", "in"],
    ...[...standings.values()]
      .map((standing) => ({ standing, rank: meanOf(standing.ranks) }))
      .sort((one, other) => one.rank - other.rank)
      .map(({ standing: { picker, gaps, ratios }, rank }) => {
        const [worstGap, worstRatio] = [worstOf(gaps), worstOf(ratios)];
        const sorted = ratios.map(({ value }) => value).sort((a, b) => a - b);
        return [
          picker,
          rank.toFixed(2),
          meanOf(gaps.map(({ value }) => value)).toFixed(2),
          worstGap === undefined ? "" : worstGap.value.toFixed(2),
          worstGap?.scenario ?? "",
          shown(sorted[sorted.length >> 1] ?? 1),
          worstRatio === undefined ? "" : shown(worstRatio.value),
          worstRatio?.scenario ?? "",
        ];
      }),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length))) ?? [];
  console.log(`\n${findings.length} random scenarios. Rank: more success first, of equal success (0.1 points) the lower mean.\n`);
  for (const row of cells) console.log(row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  "));
}

function worstOf<Each extends { readonly value: number }>(values: readonly Each[]): Each | undefined {
  return values.reduce<Each | undefined>((worst, each) => (worst === undefined || each.value > worst.value ? each : worst), undefined);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
