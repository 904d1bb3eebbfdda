import { type Bound, shown } from "../report.ts";
import type { Case, Figures, Row } from "./case.ts";

/** What was found in one case. */
export interface Finding {
  readonly name: string;
  readonly about: string;
  readonly rows: readonly Row[];
  readonly bounds: readonly Bound[];
}

const columns: readonly { readonly title: string; readonly of: (figures: Partial<Figures>) => number | undefined }[] = [
  { title: "success %", of: ({ successPercent }) => successPercent && Math.round(successPercent * 100) / 100 },
  { title: "mean ms", of: ({ meanMs }) => meanMs },
  { title: "p50", of: ({ p50Ms }) => p50Ms },
  { title: "p99", of: ({ p99Ms }) => p99Ms },
  { title: "p99.9", of: ({ p999Ms }) => p999Ms },
  { title: "attempts", of: ({ attempts }) => attempts },
];

/** Prints a case as a table for people: every picker, and what others have published. */
export function printFinding({ name, about, rows, bounds }: Finding): void {
  const extras = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures.extra ?? {})))];
  const cells = [
    ["", ...columns.map(({ title }) => title), ...extras],
    ...rows.map(({ name: who, figures }) => [
      who,
      ...columns.map(({ of }) => cell(of(figures as Partial<Figures>))),
      ...extras.map((extra) => cell(figures.extra?.[extra])),
    ]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length))) ?? [];
  console.log(`\n${name}: ${about}\n`);
  for (const [index, row] of cells.entries()) {
    console.log(row.map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0))).join("  "));
    if (index === 0) console.log(widths.map((width) => "-".repeat(width)).join("  "));
  }
  for (const bound of bounds) console.log(lineOf(bound));
}

/** A bound as bench/report.ts writes it. */
export function lineOf({ what, value, relation, bound, held }: Bound): string {
  return `${held ? "held" : "BROKEN"}: ${what} ${shown(value)} (${relation} ${shown(bound)})`;
}

function cell(value: number | undefined): string {
  return value === undefined ? "" : shown(value);
}

/** The cases whose name begins with or contains one of `wanted`; all but the large ones when nothing is wanted. */
export function chosen(cases: readonly Case[], wanted: readonly string[]): readonly Case[] {
  if (wanted.length === 0) return cases.filter(({ isLarge }) => !isLarge);
  return cases.filter(({ name }) =>
    wanted.some((want) => name === want || name.startsWith(`${want}/`) || name.split("/")[1]?.includes(want)),
  );
}
