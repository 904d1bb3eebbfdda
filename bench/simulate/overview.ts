import { escaped, svgOf } from "./svg.ts";
import type { Finding } from "./table.ts";

const left = 300;
const cell = 84;
const rowHeight = 34;
const top = 96;

/** Draws every picker in every scenario: per cent of success, and the mean time as a multiple of the fastest of those that succeed as often. */
export function overviewOf(findings: readonly Finding[]): string {
  const pickers = (findings[0]?.rows ?? []).filter(({ figures }) => figures.p50Ms !== undefined).map(({ name }) => name);
  const width = left + pickers.length * cell + 12;
  const body = [
    `<text x="12" y="24" font-size="15" font-weight="bold">Every picker in palantir/dialogue's scenarios</text>`,
    `<text class="muted" x="12" y="44">calls that succeed in per cent, and below the mean time as a multiple of the fastest among the best</text>`,
    `<text class="muted" x="12" y="60">green: within 0.1 points of the best; yellow: within 5; red: further behind</text>`,
    ...pickers.map(
      (name, column) => `<text x="${left + (column + 0.5) * cell}" y="${top - 8}" text-anchor="middle">${escaped(name)}</text>`,
    ),
  ];
  for (const [row, { name, rows }] of findings.entries()) {
    const y = top + row * rowHeight;
    const figures = pickers.map((picker) => rows.find((each) => each.name === picker)?.figures ?? {});
    const best = Math.max(...figures.map(({ successPercent = 0 }) => successPercent));
    const isAmongBest = (success: number) => success >= best - 0.1;
    const fastest = Math.min(...figures.filter(({ successPercent = 0 }) => isAmongBest(successPercent)).map(({ meanMs = 0 }) => meanMs));
    body.push(`<text x="12" y="${y + 20}">${escaped(name.split("/")[1] ?? name)}</text>`);
    for (const [column, { successPercent = 0, meanMs = 0 }] of figures.entries()) {
      const x = left + column * cell;
      const behind = best - successPercent;
      const colour = isAmongBest(successPercent) ? "#009e73" : behind <= 5 ? "#e69f00" : "#d55e00";
      const middle = x + cell / 2;
      body.push(
        `<rect x="${x + 1}" y="${y + 1}" width="${cell - 2}" height="${rowHeight - 2}" fill="${colour}" fill-opacity="0.3"/>`,
        `<text x="${middle}" y="${y + 15}" text-anchor="middle">${Number(successPercent.toFixed(1))} %</text>`,
        `<text class="muted" x="${middle}" y="${y + 28}" text-anchor="middle" font-size="10">× ${(meanMs / fastest).toFixed(2)}</text>`,
      );
    }
  }
  return svgOf("Every picker in palantir/dialogue's scenarios", width, top + findings.length * rowHeight + 12, body);
}
