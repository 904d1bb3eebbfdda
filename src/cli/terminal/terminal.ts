import { once } from "node:events";
import { styleText } from "node:util";
import type { Io, Output } from "../io.ts";
import { plain, plainJson, plainLines } from "./plain.ts";
import { type Column, table } from "./table.ts";
import { shortened, wrapped } from "./wrap.ts";

/** When colours are written. */
export const colorChoices = ["auto", "always", "never"] as const;

/** One of {@link colorChoices}. */
export type ColorChoice = (typeof colorChoices)[number];

/** No terminal is taken to be narrower. */
const leastColumns = 20;

/** Format of results. */
export type Format = "table" | "wide" | "json";

/** A colour or a weight of text. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/**
 * The output of a command: results on stdout, everything else on stderr. All text is escaped, except by `raw`; registered secrets are
 * replaced in every line.
 */
export class Terminal {
  readonly format: Format;
  readonly #io: Io;
  readonly #color: ColorChoice;
  readonly #secrets = new Set<string>();

  constructor(io: Io, options: { readonly format?: Format | undefined; readonly color?: ColorChoice | undefined }) {
    this.#io = io;
    this.format = options.format ?? "table";
    this.#color = options.color ?? "auto";
  }

  /** Whether stdout is a terminal. */
  get isInteractive(): boolean {
    return this.#io.stdout.isTTY === true;
  }

  /** Columns of the terminal that an output is; infinite where it is none, so that programs get whole lines. */
  width(on: "stdout" | "stderr" = "stdout"): number {
    return this.#io[on].isTTY === true ? columnsOf(this.#io[on]) : Number.POSITIVE_INFINITY;
  }

  /** Rows of the terminal that stdout is. */
  get rows(): number {
    return this.#io.stdout.rows || 24;
  }

  /** Columns of a text that is only read, such as a help: those of the terminal, 80 elsewhere. */
  get helpWidth(): number {
    return Math.min(this.isInteractive ? this.width() : 80, 120);
  }

  /** Registers a secret, which is replaced in every line. */
  hide(secret: string | undefined): void {
    // A shorter one would match harmless text.
    if (secret === undefined || secret.length < 4) return;
    const inJson = JSON.stringify(secret).slice(1, -1);
    // In each spelling: as it is, escaped for a line, in a JSON string, and in a line with a JSON string.
    for (const written of [secret, plain(secret), plainJson(inJson), plain(inJson)]) this.#secrets.add(written);
  }

  /** `text` in a style, where the stream takes colours. */
  style(style: Style, text: string, on: "stdout" | "stderr" = "stdout"): string {
    return this.#hasColors(this.#io[on]) ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Writes escaped lines, such as those of a table, on stdout. */
  lines(lines: readonly string[]): Promise<void> {
    return this.raw(lines.map((line) => `${this.#blot(line)}\n`).join(""));
  }

  /** Writes one line on stdout, escaped, line breaks in it included; on a terminal as several where it is too long. */
  line(text: string): Promise<void> {
    return this.lines(wrapped(this.#blot(plain(text)), this.width()));
  }

  /** Writes a text of several lines, escaped apart from line breaks. The text as a whole must not come from outside. */
  async text(text: string, on: "stdout" | "stderr" = "stdout"): Promise<void> {
    const width = this.width();
    if (on === "stdout")
      await this.lines(
        plainLines(text)
          .split("\n")
          .flatMap((line) => wrapped(this.#blot(line), width)),
      );
    else for (const line of text.split("\n")) this.note(line);
  }

  /** Writes a value as JSON on stdout, indented, or on one line (`isLine`) in a stream of values. */
  json(value: unknown, isLine = false): Promise<void> {
    return this.raw(`${this.#blot(plainJson(JSON.stringify(value, undefined, isLine ? undefined : 2)))}\n`);
  }

  /** Writes rows as a table on stdout. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Promise<void> {
    return this.lines(table(columns, rows, this.format === "wide", this.width()));
  }

  /** Writes one line on stderr, escaped, line breaks in it included. */
  note(text: string, style?: Style): void {
    if (this.#io.signal.aborted && this.#io.signal.reason === "EPIPE") return;
    for (const line of wrapped(this.#blot(plain(text)), this.width("stderr")))
      this.#io.stderr.write(`${style === undefined ? line : this.style(style, line, "stderr")}\n`);
  }

  /** Shows a line on stderr that the next one replaces, if stderr is a terminal. Without a text, removes it. */
  progress(text?: string): void {
    if (this.#io.stderr.isTTY !== true || this.format === "json") return;
    // Shorter than a line: of one that goes on in the next, only the end would be replaced.
    const line = text === undefined ? "" : shortened(plain(text), this.width("stderr") - 1);
    this.#io.stderr.write(`\r\u001b[K${text === undefined ? "" : this.style("dim", line, "stderr")}`);
  }

  /** Writes bytes unchanged on stdout, no faster than they are read. */
  async raw(chunk: string | Uint8Array): Promise<void> {
    const { stdout, signal } = this.#io;
    if (chunk.length === 0 || stdout.destroyed || signal.reason === "EPIPE" || stdout.write(chunk)) return;
    if (signal.aborted) return;
    // If the reader has stopped reading, Ctrl-C ends the wait.
    await once(stdout, "drain", { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  #blot(text: string): string {
    let blotted = text;
    for (const secret of this.#secrets) blotted = blotted.replaceAll(secret, "[hidden]");
    return blotted;
  }

  #hasColors(output: Output): boolean {
    const { env } = this.#io;
    if (this.#color !== "auto") return this.#color === "always";
    const force = env["FORCE_COLOR"];
    if (force !== undefined) return !["0", "false"].includes(force);
    if ((env["NO_COLOR"] ?? "") !== "") return false;
    return output.isTTY === true && env["TERM"] !== "dumb";
  }
}

/** A terminal without a size (a serial line, a pseudo-terminal of a script) has 0 columns. */
function columnsOf({ columns = 0 }: Output): number {
  return columns > 0 ? Math.max(columns, leastColumns) : 80;
}
