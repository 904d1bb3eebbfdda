import uPlot from "uplot";
import type { SecondReading } from "../snapshot.ts";
import { el, setAttributes, setText } from "./dom.ts";
import { duration, percent, tick } from "./format.ts";
import { colour } from "./theme.ts";

const shownSeconds = 120;
const height = 150;

interface Line {
  readonly name: string;
  /** Name of a colour in the style sheet. */
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly value: (second: SecondReading) => number | null;
}

interface ChartKind {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly text: (value: number) => string;
  /** Unit of the numbers at the axis. */
  readonly unit: string;
  readonly range?: (min: number, max: number) => [number, number];
}

const share = (all: number, failed: number) => (all === 0 ? null : (100 * (all - failed)) / all);

const kinds: readonly ChartKind[] = [
  {
    title: "Calls and attempts per second",
    lines: [
      { name: "calls", colour: "line-1", value: ({ calls }) => calls },
      { name: "attempts", colour: "line-2", dash: [4, 3], value: ({ attempts }) => attempts },
    ],
    text: tick,
    unit: "",
  },
  {
    title: "Success",
    lines: [
      { name: "effective", colour: "line-1", value: ({ calls, failures }) => share(calls, failures) },
      { name: "actual", colour: "line-2", dash: [4, 3], value: ({ attempts, attemptFailures }) => share(attempts, attemptFailures) },
    ],
    text: (value) => percent(value / 100),
    unit: " %",
    // One percent of failures must be visible, and the line at 100 % not on the edge.
    range: (min) => [Math.max(0, Math.floor(Math.min(99, min) / 10) * 10), 100.5],
  },
  {
    title: "Latency to the response head",
    lines: [
      { name: "p50", colour: "line-3", value: ({ latencyMs }) => latencyMs?.p50 ?? null },
      { name: "p95", colour: "line-2", value: ({ latencyMs }) => latencyMs?.p95 ?? null },
      { name: "p99", colour: "line-1", value: ({ latencyMs }) => latencyMs?.p99 ?? null },
    ],
    text: duration,
    unit: " ms",
  },
  {
    title: "Retries and hedges per second",
    lines: [
      { name: "retries", colour: "line-1", value: ({ retries }) => retries },
      { name: "hedges", colour: "line-2", dash: [4, 3], value: ({ hedges }) => hedges },
    ],
    text: tick,
    unit: "",
  },
];

/** The last two minutes of a service as four charts. */
export class Charts {
  readonly element: HTMLElement = el("div", { class: "charts" });
  readonly #charts: readonly Chart[] = kinds.map((kind) => new Chart(kind));
  #seconds: SecondReading[] = [];

  constructor() {
    this.element.append(...this.#charts.map((chart) => chart.element));
  }

  /** The newest known second, in seconds since the epoch; 0 for none. */
  get newestS(): number {
    return this.#seconds.at(-1)?.atS ?? 0;
  }

  /** Adds the seconds that are newer than {@link newestS}. */
  add(seconds: readonly SecondReading[], nowMs: number): void {
    const newest = this.newestS;
    this.#seconds.push(...seconds.filter(({ atS }) => atS > newest));
    // The clock of the server: the axis ends at its newest second, whatever the clock of this machine says.
    const endS = this.#seconds.at(-1)?.atS ?? Math.floor(nowMs / 1_000);
    this.#seconds = this.#seconds.filter(({ atS }) => atS > endS - shownSeconds);
    for (const chart of this.#charts) chart.show(this.#seconds, endS);
  }

  /** Forgets all seconds; they are those of another process. */
  clear(): void {
    this.#seconds = [];
  }

  recolour(): void {
    for (const chart of this.#charts) chart.recolour();
  }

  close(): void {
    for (const chart of this.#charts) chart.close();
  }
}

class Chart {
  readonly element: HTMLElement;
  readonly #kind: ChartKind;
  readonly #frame = el("div", { class: "plot", role: "img" });
  readonly #values: readonly HTMLElement[];
  readonly #resize: ResizeObserver;
  #plot: uPlot | undefined = undefined;
  #data: uPlot.AlignedData = [[]];
  #endS = 0;
  #width = 0;

  constructor(kind: ChartKind) {
    this.#kind = kind;
    this.#values = kind.lines.map(() => el("b", {}, "–"));
    const legend = kind.lines.map((line, index) =>
      el(
        "span",
        {},
        el("i", { class: line.dash === undefined ? line.colour : `${line.colour} dashed` }),
        `${line.name} `,
        this.#values[index],
      ),
    );
    this.element = el(
      "figure",
      { class: "chart" },
      el("figcaption", {}, el("span", {}, kind.title), el("span", { class: "legend" }, ...legend)),
      this.#frame,
    );
    this.#resize = new ResizeObserver(([entry]) => this.#fit(Math.floor(entry?.contentRect.width ?? 0)));
    this.#resize.observe(this.#frame);
  }

  show(seconds: readonly SecondReading[], endS: number): void {
    const times = seconds.map(({ atS }) => atS);
    this.#data = [times, ...this.#kind.lines.map(({ value }) => seconds.map(value))] as uPlot.AlignedData;
    this.#endS = endS;
    this.#plot?.setData(this.#data, false);
    this.#plot?.setScale("x", { min: endS - shownSeconds + 1, max: endS });
    if (this.#plot?.cursor.idx == null) this.#tell(times.length - 1);
    const said = this.#kind.lines.map(({ name }, index) => `${name} ${this.#values[index]?.textContent ?? ""}`).join(", ");
    setAttributes(this.#frame, { "aria-label": `${this.#kind.title}: ${said}` });
  }

  recolour(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#width > 0) this.#make();
  }

  close(): void {
    this.#resize.disconnect();
    this.#plot?.destroy();
  }

  #fit(width: number): void {
    if (width === 0 || width === this.#width) return;
    this.#width = width;
    if (this.#plot === undefined) this.#make();
    else this.#plot.setSize({ width, height });
  }

  #make(): void {
    const { lines, unit, range } = this.#kind;
    const axis = {
      stroke: colour("muted"),
      grid: { stroke: colour("grid"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    this.#plot = new uPlot(
      {
        width: this.#width,
        height,
        padding: [8, 26, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: {
          x: { time: true },
          y: { range: (_plot, min, max) => range?.(min ?? 100, max ?? 100) ?? [0, Math.max(1, (max ?? 0) * 1.15)] },
        },
        axes: [
          { ...axis, size: 26, space: 70, values: (_plot, splits) => splits.map((at) => new Date(at * 1_000).toLocaleTimeString("en-GB")) },
          {
            ...axis,
            size: 58,
            space: 32,
            values: (_plot, splits) => splits.map((value) => (value > 100 && range !== undefined ? "" : `${tick(value)}${unit}`)),
          },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.name,
            stroke: colour(line.colour),
            width: 1.6,
            points: { show: false },
            ...(line.dash && { dash: [...line.dash] }),
          })),
        ],
        hooks: { setCursor: [({ cursor, data }) => this.#tell(cursor.idx ?? data[0].length - 1)] },
      },
      this.#data,
      this.#frame,
    );
    if (this.#endS > 0) this.#plot.setScale("x", { min: this.#endS - shownSeconds + 1, max: this.#endS });
  }

  /** Shows the values of one second in the legend: that under the mouse, else the last. */
  #tell(at: number): void {
    this.#values.forEach((element, index) => {
      const value = this.#data[index + 1]?.[at];
      setText(element, value == null ? "–" : this.#kind.text(value));
    });
  }
}
