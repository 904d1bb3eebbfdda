import { columnsThatFit, roomOf } from "./fit.ts";
import { plain } from "./plain.ts";
import { padTo, widthOf } from "./width.ts";
import { shortened, wrapped } from "./wrap.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** `right` for numbers. @default "left" */
  readonly align?: "left" | "right";
  /** Shown with `-o wide` only. */
  readonly isWide?: boolean;
  /** Left out where the terminal is too narrow, the highest first; absent: never. */
  readonly spare?: number;
  /** Colours a padded cell. */
  readonly paint?: (cell: string, row: Row) => string;
}

const maxCell = 60;
/** Between two columns. */
const gap = "  ";

/**
 * Rows as lines, the titles first, none wider than `width`. Cells are escaped, and cut off after 60 characters unless `isWide`. Where the
 * terminal is too narrow, columns that can be spared are left out, names are shortened in their middle, and a text in the last column goes on
 * in the next line; a table that `isWide` has a line for each cell then, and nothing is left out.
 */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  isWide: boolean,
  width: number = Number.POSITIVE_INFINITY,
): readonly string[] {
  const wanted = columns.filter((column) => isWide || column.isWide !== true);
  const textOf = (row: Row, column: Column<Row>): string => cut(plain(column.cell(row)), isWide || width < Number.POSITIVE_INFINITY);
  const natural = new Map(wanted.map((each) => [each, Math.max(each.title.length, ...rows.map((row) => widthOf(textOf(row, each))))]));
  const widthsOf = (shown: readonly Column<Row>[]): readonly number[] => shown.map((column) => natural.get(column) ?? 0);
  if (isWide && roomOf(widthsOf(wanted)) > width) return records(wanted, rows, width);
  const shown = columnsThatFit(wanted, widthsOf, width);
  const widths = shown.widths;
  const lineOf = (texts: readonly string[], row?: Row): readonly string[] => linesOf(texts, row, shown.columns, widths, width);
  return [
    ...lineOf(shown.columns.map(({ title }) => title)),
    ...rows.flatMap((row) =>
      lineOf(
        shown.columns.map((column) => textOf(row, column)),
        row,
      ),
    ),
  ];
}

/** One row as a line, or as several where the last column is a text that is too long. */
function linesOf<Row>(
  texts: readonly string[],
  row: Row | undefined,
  columns: readonly Column<Row>[],
  widths: readonly number[],
  width: number,
): readonly string[] {
  const start = widths.slice(0, -1).reduce((sum, each) => sum + each + gap.length, 0);
  const painted = (text: string, { paint }: Column<Row>): string => (row === undefined || paint === undefined ? text : paint(text, row));
  const last = columns.at(-1);
  const isText = last !== undefined && last.align !== "right";
  const ahead = (isText ? texts.slice(0, -1) : texts).map((text, index) => {
    const column = columns[index] as Column<Row>;
    const room = widths[index] ?? 0;
    return painted(padTo(shortened(text, room), room, column.align ?? "left"), column);
  });
  if (!isText) return [ahead.join(gap).trimEnd()];
  // The last cell is not padded, so that no line ends in spaces.
  const [first = "", ...more] = wrapped(texts.at(-1) ?? "", width - start);
  return [
    [...ahead, painted(first, last)].join(gap).trimEnd(),
    ...more.map((text) => `${" ".repeat(start)}${painted(text, last)}`.trimEnd()),
  ];
}

/** A block of lines for each row, a line for each of its cells. */
function records<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): readonly string[] {
  const titleWidth = Math.max(...columns.map(({ title }) => title.length));
  return rows.flatMap((row, index) => [
    ...(index === 0 ? [] : [""]),
    ...columns.flatMap((column) => {
      const { title, cell, paint } = column;
      const lines = wrapped(plain(cell(row)), width - titleWidth - gap.length);
      return lines.map((text, line) => {
        const name = (line === 0 ? title : "").padEnd(titleWidth);
        return `${name}${gap}${paint === undefined ? text : paint(text, row)}`.trimEnd();
      });
    }),
  ]);
}

function cut(text: string, isWhole: boolean): string {
  const characters = isWhole || text.length <= maxCell ? [] : [...text];
  return characters.length <= maxCell ? text : `${characters.slice(0, maxCell - 1).join("")}…`;
}
