import type { Mesh } from "../../index.ts";
import { plain } from "../terminal/plain.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { DemoStatistics } from "./demo-statistics.ts";
import { type DemoState, instanceLines, type Line, pictureOf, totalsLines, widthOfLine } from "./picture.ts";

/** Contents and terminal of a {@link Screen}. */
export interface ScreenOptions {
  readonly mesh: Pick<Mesh, "explain">;
  readonly statistics: DemoStatistics;
  readonly title: string;
  readonly terminal: Terminal;
}

/** Shows a running demo: redrawn in place on an interactive terminal, as appended lines elsewhere. */
export class Screen {
  readonly #options: ScreenOptions;
  /** The widths of the lines that were drawn last. */
  #drawn: readonly number[] = [];
  #eventsShown = 0;
  #isDrawing = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  /** Shows the current state; does nothing while an earlier drawing is still being written. */
  async draw(): Promise<void> {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    try {
      await (this.#options.terminal.isInteractive ? this.#redraw() : this.#append());
    } finally {
      this.#isDrawing = false;
    }
  }

  async #redraw(): Promise<void> {
    const { terminal } = this.#options;
    const columns = terminal.width();
    const lines = pictureOf(this.#state(), { columns, rows: terminal.rows });
    // A terminal that has become narrower since has broken the lines of the last picture.
    const up = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    const text = lines.map((line) => `${this.#painted(line)}\n`).join("");
    await terminal.raw(`${up > 0 ? `\u001b[${up}A\r` : ""}\u001b[0J${text}`);
    this.#drawn = lines.map(widthOfLine);
  }

  async #append(): Promise<void> {
    const { terminal, statistics } = this.#options;
    const events = statistics.events.slice(this.#eventsShown).map(plain);
    this.#eventsShown = statistics.events.length;
    const state = this.#state();
    const width = terminal.width();
    const lines = [...instanceLines(state, width).map((line) => this.#painted(line)), ...totalsLines(state.totals, width)];
    await terminal.lines([...events, ...lines.map((line) => `         ${line}`)]);
  }

  #state(): DemoState {
    const { mesh, statistics, title } = this.#options;
    const { totals, events } = statistics;
    return { title, endpoints: mesh.explain("shop")?.endpoints ?? [], share: statistics.recentShare(), totals, events };
  }

  #painted(line: Line): string {
    return line.map(([text, style]) => (style === undefined ? text : this.#options.terminal.style(style, text))).join("");
  }
}
