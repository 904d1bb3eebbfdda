/** A line of a chart. */
export interface Line {
  readonly name: string;
  readonly values: readonly number[];
  /** Behind the others, for comparison. */
  readonly isFaint?: boolean;
}

/** One of the charts of a picture. All of them have the same time axis. */
export interface Chart {
  readonly title: string;
  /** `stack`: parts of a whole, one upon the other. */
  readonly kind: "stack" | "lines";
  readonly lines: readonly Line[];
  readonly unit: string;
  /** The upper end of the axis; by default what the values need. */
  readonly max?: number;
  readonly min?: number;
}

/** Colours that are told apart on white and on black, also by those who see fewer of them (Okabe and Ito). */
const colours = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a8a00", "#7570b3"];
const width = 760;
const left = 56;
const right = 190;
const chartHeight = 130;
const head = 62;
const gap = 48;

const style = `<style>
text{fill:#0f172a}.muted{fill:#475569}.ground{fill:#ffffff}.axis{stroke:#94a3b8}.faint{stroke:#94a3b8}
@media (prefers-color-scheme:dark){text{fill:#e2e8f0}.muted{fill:#94a3b8}.ground{fill:#0d1117}.axis{stroke:#475569}.faint{stroke:#64748b}}
</style>`;

/** Draws charts over the same time, one below the other. */
export function pictureOf(title: string, subtitle: string, durationMs: number, charts: readonly Chart[]): string {
  const height = head + charts.length * (chartHeight + gap);
  const body = charts.flatMap((chart, index) => chartLines(chart, head + 14 + index * (chartHeight + gap), durationMs));
  return svgOf(title, width, height, [
    `<text x="12" y="22" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    `<text class="muted" x="12" y="42">${escaped(subtitle)}</text>`,
    ...body,
  ]);
}

/** An SVG document that can be read on a light and on a dark page. */
export function svgOf(title: string, wide: number, high: number, body: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${high}" viewBox="0 0 ${wide} ${high}" role="img" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
${style}
<rect class="ground" width="${wide}" height="${high}"/>
${body.join("\n")}
</svg>
`;
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function chartLines({ title, kind, lines, unit, max, min = 0 }: Chart, top: number, durationMs: number): readonly string[] {
  const count = lines[0]?.values.length ?? 0;
  const highest = max ?? niceAbove(Math.max(...lines.flatMap(({ values }) => values), min + 1e-9));
  const x = (index: number) => (left + ((width - left - right) * index) / Math.max(1, count - 1)).toFixed(1);
  const y = (value: number) => {
    const part = Math.min(1, Math.max(0, (value - min) / (highest - min)));
    return (top + chartHeight - chartHeight * part).toFixed(1);
  };
  const drawn: string[] = [`<text x="${left}" y="${top - 8}" font-weight="bold">${escaped(title)}</text>`];
  for (const value of [min, (min + highest) / 2, highest]) {
    drawn.push(
      `<line class="axis" x1="${left}" y1="${y(value)}" x2="${width - right}" y2="${y(value)}" stroke-width="0.5"/>`,
      `<text class="muted" x="${left - 6}" y="${Number(y(value)) + 4}" text-anchor="end">${number(value)}${unit}</text>`,
    );
  }
  for (const part of [0, 0.5, 1]) {
    const at = left + (width - left - right) * part;
    drawn.push(
      `<text class="muted" x="${at}" y="${top + chartHeight + 16}" text-anchor="middle">${number((durationMs * part) / 1_000)} s</text>`,
    );
  }
  const below = new Array<number>(count).fill(0);
  for (const [index, line] of lines.entries()) {
    const colour = colours[index % colours.length] as string;
    const legendY = top + 12 + index * 17;
    const swatch = line.isFaint ? `class="faint"` : `stroke="${colour}"`;
    drawn.push(
      `<line x1="${width - right + 12}" y1="${legendY - 4}" x2="${width - right + 30}" y2="${legendY - 4}" ${swatch} stroke-width="${kind === "stack" ? 10 : 2}"/>`,
      `<text x="${width - right + 36}" y="${legendY}">${escaped(line.name)}</text>`,
    );
    if (kind === "lines") {
      const points = line.values.map((value, at) => `${x(at)},${y(value)}`).join(" ");
      drawn.push(`<polyline points="${points}" fill="none" ${swatch} stroke-width="2"${line.isFaint ? ' stroke-dasharray="5 3"' : ""}/>`);
    } else {
      const floor = [...below];
      for (const [at, value] of line.values.entries()) below[at] = (below[at] as number) + value;
      const upper = below.map((value, at) => `${x(at)},${y(value)}`);
      const lower = floor.map((value, at) => `${x(at)},${y(value)}`).reverse();
      drawn.push(`<polygon points="${[...upper, ...lower].join(" ")}" fill="${colour}" fill-opacity="0.85"/>`);
    }
  }
  return drawn;
}

/** The next of 1, 2, 5, 10, 20, … */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value * 0.999) ?? 10) * power;
}

function number(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
