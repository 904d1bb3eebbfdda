/** A column, as far as its place on the screen is concerned. */
interface Fitted {
  readonly align?: "left" | "right";
  readonly spare?: number;
}

/** Columns of the screen that a name or an address keeps at least: `255.255.255.255:65535` is whole. */
const leastText = 21;

/** Columns of the screen that a table with these widths takes, two spaces between its columns. */
export function roomOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + 2 * Math.max(0, widths.length - 1);
}

/** The columns that have room in `width`, and the width of each: those that can be spared go first, then texts are narrowed. */
export function columnsThatFit<Column extends Fitted>(
  wanted: readonly Column[],
  widthsOf: (columns: readonly Column[]) => readonly number[],
  width: number,
): { readonly columns: readonly Column[]; readonly widths: readonly number[] } {
  let columns = wanted;
  while (roomOf(narrowest(columns, widthsOf(columns), width)) > width) {
    const spare = columns.reduce<Column | undefined>(
      (most, each) => (each.spare !== undefined && each.spare > (most?.spare ?? Number.NEGATIVE_INFINITY) ? each : most),
      undefined,
    );
    if (spare === undefined) break;
    columns = columns.filter((each) => each !== spare);
  }
  return { columns, widths: narrowed(columns, widthsOf(columns), width) };
}

function isText({ align }: Fitted): boolean {
  return align !== "right";
}

/** The first column is the name of its row, of which more is kept. */
function narrowest(columns: readonly Fitted[], widths: readonly number[], width: number): readonly number[] {
  const leastName = Math.max(leastText, Math.floor(0.4 * width));
  return widths.map((each, index) => (isText(columns[index] as Fitted) ? Math.min(each, index === 0 ? leastName : leastText) : each));
}

/** Takes from the widest texts until the rest fits: from the last one first, which goes on in the next line. */
function narrowed(columns: readonly Fitted[], natural: readonly number[], width: number): readonly number[] {
  const widths = [...natural];
  const least = narrowest(columns, natural, width);
  const texts = columns.flatMap((column, index) => (isText(column) ? [index] : []));
  const lastFirst = [texts.at(-1), ...texts.slice(0, -1).sort((one, other) => (widths[other] ?? 0) - (widths[one] ?? 0))];
  for (const floor of [least, natural.map(() => 4)]) {
    for (const index of lastFirst) {
      if (index === undefined) continue;
      const over = roomOf(widths) - width;
      if (over > 0) widths[index] = Math.max(Math.min(widths[index] ?? 0, floor[index] ?? 0), (widths[index] ?? 0) - over);
    }
  }
  return widths;
}
