import xterm from "@xterm/headless";

/** What a terminal shows after a program has written `output` on it. */
export interface TerminalScreen {
  /** Every line, those that have scrolled away included, without the spaces at its end. */
  readonly lines: readonly string[];
  /** The lines that go on with the one before, since that was wider than the terminal. */
  readonly wrapped: readonly string[];
}

/** Feeds a terminal emulator. Line feeds return the carriage, as the driver of a terminal makes them do. */
export async function terminalScreen(output: string, columns: number, rows = 40): Promise<TerminalScreen> {
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true, convertEol: true });
  try {
    await new Promise<void>((resolve) => terminal.write(output, resolve));
    const buffer = terminal.buffer.active;
    const all = Array.from({ length: buffer.length }, (_, index) => buffer.getLine(index));
    const lines = all.map((line) => line?.translateToString(true) ?? "");
    return { lines, wrapped: lines.filter((_, index) => all[index]?.isWrapped) };
  } finally {
    terminal.dispose();
  }
}
