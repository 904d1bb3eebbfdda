import { once } from "node:events";
import { styleText } from "node:util";
import type { Io, Output } from "../io.ts";
import { plain, plainJson, plainLines } from "./plain.ts";
import { type Column, table } from "./table.ts";

/** When colours are written. */
export const colorChoices = ["auto", "always", "never"] as const;

/** One of {@link colorChoices}. */
export type ColorChoice = (typeof colorChoices)[number];

/** How results are written. */
export type Format = "table" | "wide" | "json";

/** A colour or a weight of text. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/**
 * What a command writes on: results on stdout, everything else on stderr. What it is given is escaped, except by `raw`; secrets that
 * were named to it are blotted out of every line.
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

  /** Whether somebody looks at stdout. */
  get isInteractive(): boolean {
    return this.#io.stdout.isTTY === true;
  }

  /** Takes a text that must appear in no line. */
  hide(secret: string | undefined): void {
    // A shorter one would blot out half of what is written.
    if (secret === undefined || secret.length < 4) return;
    const inJson = JSON.stringify(secret).slice(1, -1);
    // As it is, and as a line, a JSON string, and a line with one in it would hold it.
    for (const written of [secret, plain(secret), plainJson(inJson), plain(inJson)]) this.#secrets.add(written);
  }

  /** Text in a style, where stdout (or stderr) takes colours. */
  style(style: Style, text: string, on: "stdout" | "stderr" = "stdout"): string {
    return this.#hasColors(this.#io[on]) ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Writes lines that are escaped already, such as those of a table, on stdout. */
  lines(lines: readonly string[]): Promise<void> {
    return this.raw(lines.map((line) => `${this.#blot(line)}\n`).join(""));
  }

  /** Writes one line on stdout, escaped: what looks like the end of a line in it is none. */
  line(text: string): Promise<void> {
    return this.lines([plain(text)]);
  }

  /** Writes a text of several lines, none of which comes from outside as a whole; escaped apart from their ends. */
  async text(text: string, on: "stdout" | "stderr" = "stdout"): Promise<void> {
    if (on === "stdout") await this.lines([plainLines(text)]);
    else for (const line of text.split("\n")) this.note(line);
  }

  /** Writes a value as JSON on stdout: indented for people, on one line (`isLine`) in a stream of values. */
  json(value: unknown, isLine = false): Promise<void> {
    return this.raw(`${this.#blot(plainJson(JSON.stringify(value, undefined, isLine ? undefined : 2)))}\n`);
  }

  /** Writes rows as a table on stdout. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Promise<void> {
    return this.lines(table(columns, rows, this.format === "wide"));
  }

  /** Writes one line on stderr, escaped: what looks like the end of a line in it is none. */
  note(text: string, style?: Style): void {
    const line = this.#blot(plain(text));
    if (!this.#io.signal.aborted || this.#io.signal.reason !== "EPIPE")
      this.#io.stderr.write(`${style === undefined ? line : this.style(style, line, "stderr")}\n`);
  }

  /** Shows a line on stderr that the next one replaces, on a terminal; nothing elsewhere. Without a text it goes away. */
  progress(text?: string): void {
    if (this.#io.stderr.isTTY !== true || this.format === "json") return;
    this.#io.stderr.write(`\r\u001b[K${text === undefined ? "" : this.style("dim", plain(text), "stderr")}`);
  }

  /** Writes bytes as they are on stdout, no faster than they are read. */
  async raw(chunk: string | Uint8Array): Promise<void> {
    const { stdout, signal } = this.#io;
    if (chunk.length === 0 || stdout.destroyed || signal.reason === "EPIPE" || stdout.write(chunk)) return;
    if (signal.aborted) return;
    // Nobody may ever read on: then Ctrl-C ends the wait.
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
