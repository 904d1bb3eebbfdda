import type { Mesh } from "../../index.ts";
import { plain } from "../terminal/plain.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { DemoStatistics } from "./demo-statistics.ts";

/** Contents and terminal of a {@link Screen}. */
export interface ScreenOptions {
  readonly mesh: Mesh;
  readonly statistics: DemoStatistics;
  readonly title: string;
  readonly terminal: Terminal;
}

/** Shows a running demo: redrawn in place on an interactive terminal, as appended lines elsewhere. */
export class Screen {
  readonly #options: ScreenOptions;
  #linesDrawn = 0;
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
    const { terminal, title, statistics } = this.#options;
    const lines = [
      terminal.style("bold", plain(title)),
      "",
      ...this.#instanceLines(),
      "",
      this.#totalsLine(),
      "",
      ...statistics.events.slice(-8).map(plain),
    ];
    await terminal.raw(`${this.#linesDrawn > 0 ? `\u001b[${this.#linesDrawn}A` : ""}\u001b[0J${lines.join("\n")}\n`);
    this.#linesDrawn = lines.length;
  }

  async #append(): Promise<void> {
    const { terminal, statistics } = this.#options;
    const events = statistics.events.slice(this.#eventsShown).map(plain);
    this.#eventsShown = statistics.events.length;
    await terminal.lines([...events, ...[...this.#instanceLines(), this.#totalsLine()].map((line) => `         ${line}`)]);
  }

  #instanceLines(): string[] {
    const { mesh, statistics, terminal } = this.#options;
    const endpoints = mesh.explain("shop")?.endpoints ?? [];
    const share = statistics.recentShare();
    const total = Math.max(
      1,
      [...share.values()].reduce((sum, count) => sum + count, 0),
    );
    return endpoints.map(({ endpoint, address, state, latencyMs, candidate }) => {
      const part = (share.get(endpoint.id) ?? 0) / total;
      const bar = terminal.style(candidate ? "green" : "red", "█".repeat(Math.round(part * 30)).padEnd(30));
      return `${plain(endpoint.id).padEnd(22)} ${plain(address).padEnd(16)} ${bar} ${(part * 100).toFixed(0).padStart(3)} %  ${latencyMs.toFixed(0).padStart(4)} ms  ${state}`;
    });
  }

  #totalsLine(): string {
    const { getOk, getFailed, postOk, postFailed, retries, breakerOpened } = this.#options.statistics.totals;
    return `GET ${getOk} ok, ${getFailed} failed   POST ${postOk} ok, ${postFailed} failed   ${retries} retries   breakers opened ${breakerOpened}×`;
  }
}
