import type { Io } from "../io.ts";

const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";

/** The whole terminal: the alternate screen without cursor and line wrapping. {@link close} restores it. */
export class FullScreen {
  readonly #io: Io;
  readonly #onKey: (key: Buffer | string) => void;
  #isOpen = true;

  /** `onEnd` is called for `q` (`quit`) and for Ctrl-C (`interrupt`), which is an ordinary key in raw mode. */
  constructor(io: Io, onEnd: (how: "quit" | "interrupt") => void) {
    this.#io = io;
    this.#onKey = (key) => {
      const text = String(key);
      if (text.includes("\u0003")) onEnd("interrupt");
      else if (/[qQ]/.test(text)) onEnd("quit");
    };
    io.stdout.write(enter);
    if (io.stdin?.isTTY === true) {
      io.stdin.setRawMode?.(true);
      io.stdin.on("data", this.#onKey);
      io.stdin.resume();
    }
  }

  /** Shows the lines that fit on the screen. */
  show(lines: readonly string[]): void {
    const { stdout } = this.#io;
    // A terminal that cannot keep up skips pictures.
    if (!this.#isOpen || stdout.writableNeedDrain) return;
    // A terminal without a size (a serial line, a pseudo-terminal of a script) has 0 rows.
    const fitting = lines.slice(0, Math.max(1, (stdout.rows || 24) - 1));
    stdout.write(`\u001b[H${fitting.map((line) => `${line}\u001b[K\r\n`).join("")}\u001b[J`);
  }

  /** Restores the terminal. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { stdin, stdout } = this.#io;
    if (stdin?.isTTY === true) {
      stdin.off("data", this.#onKey);
      stdin.setRawMode?.(false);
      stdin.pause();
    }
    if (!stdout.destroyed) stdout.write(leave);
  }
}
