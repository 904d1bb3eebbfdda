import { plain } from "./plain.ts";
import { padTo, widthOf } from "./width.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** `right` for numbers. @default "left" */
  readonly align?: "left" | "right";
  /** Shown with `-o wide` only. */
  readonly isWide?: boolean;
  /** Colours a padded cell. */
  readonly paint?: (cell: string, row: Row) => string;
}

const maxCell = 60;

/** Rows as lines, the titles first. Cells are escaped, and cut off after 60 characters unless `isWide`. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], isWide: boolean): readonly string[] {
  const shown = columns.filter((column) => isWide || column.isWide !== true);
  const cells = rows.map((row) => shown.map((column) => cut(plain(column.cell(row)), isWide)));
  const widths = shown.map(({ title }, index) => Math.max(title.length, ...cells.map((line) => widthOf(line[index] ?? ""))));
  const lineOf = (line: readonly string[], row?: Row): string =>
    line
      .map((cell, index) => {
        const { align = "left", paint } = shown[index] as Column<Row>;
        // The last cell is not padded, so that no line ends in spaces.
        const isLast = index === line.length - 1 && align === "left";
        const padded = isLast ? cell : padTo(cell, widths[index] ?? 0, align);
        return row === undefined || paint === undefined ? padded : paint(padded, row);
      })
      .join("  ")
      .trimEnd();
  return [lineOf(shown.map(({ title }) => title)), ...rows.map((row, index) => lineOf(cells[index] ?? [], row))];
}

function cut(text: string, isWide: boolean): string {
  const characters = isWide || text.length <= maxCell ? [] : [...text];
  return characters.length <= maxCell ? text : `${characters.slice(0, maxCell - 1).join("")}…`;
}
