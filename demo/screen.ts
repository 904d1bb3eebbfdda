import { styleText } from "node:util";
import type { Mesh } from "../src/index.ts";
import type { Tally } from "./tally.ts";

/** Shows the running demo: a picture redrawn in place on a terminal, lines elsewhere. */
export class Screen {
  readonly #mesh: Mesh;
  readonly #tally: Tally;
  readonly #title: string;
  readonly #isTerminal = process.stdout.isTTY === true;
  #linesDrawn = 0;
  #eventsShown = 0;

  constructor(mesh: Mesh, tally: Tally, title: string) {
    this.#mesh = mesh;
    this.#tally = tally;
    this.#title = title;
  }

  /** Shows the state of this moment. */
  draw(): void {
    if (this.#isTerminal) this.#redraw();
    else this.#append();
  }

  #redraw(): void {
    const lines = [
      styleText("bold", this.#title),
      "",
      ...this.#instanceLines(),
      "",
      this.#totalsLine(),
      "",
      ...this.#tally.events.slice(-8),
    ];
    process.stdout.write(`${this.#linesDrawn > 0 ? `\u001b[${this.#linesDrawn}A` : ""}\u001b[0J${lines.join("\n")}\n`);
    this.#linesDrawn = lines.length;
  }

  #append(): void {
    for (const event of this.#tally.events.slice(this.#eventsShown)) console.log(event);
    this.#eventsShown = this.#tally.events.length;
    console.log([...this.#instanceLines(), this.#totalsLine()].map((line) => `         ${line}`).join("\n"));
  }

  #instanceLines(): string[] {
    const endpoints = this.#mesh.explain("shop")?.endpoints ?? [];
    const share = this.#tally.recentShare();
    const total = Math.max(
      1,
      [...share.values()].reduce((sum, count) => sum + count, 0),
    );
    return endpoints.map(({ endpoint, address, breaker, latencyMs, candidate }) => {
      const part = (share.get(endpoint.id) ?? 0) / total;
      const bar = "█".repeat(Math.round(part * 30)).padEnd(30);
      const state = breaker === "closed" ? "in rotation" : `breaker ${breaker}`;
      return `${endpoint.id.padEnd(22)} ${address.padEnd(16)} ${this.#color(candidate, bar)} ${(part * 100).toFixed(0).padStart(3)} %  ${latencyMs.toFixed(0).padStart(4)} ms  ${state}`;
    });
  }

  #color(isGood: boolean, text: string): string {
    return this.#isTerminal ? styleText(isGood ? "green" : "red", text) : text;
  }

  #totalsLine(): string {
    const { getOk, getFailed, postOk, postFailed, retries, breakerOpened } = this.#tally.totals;
    return `GET ${getOk} ok, ${getFailed} failed   POST ${postOk} ok, ${postFailed} failed   ${retries} retries   breakers opened ${breakerOpened}×`;
  }
}
