import type { Readable } from "node:stream";

/** The last lines of what a process printed. */
export interface OutputTail {
  /** Collects what these streams print from now on. */
  add(...streams: readonly Readable[]): void;
  /** The last complete line, empty when there is none yet. */
  lastLine(): string;
  /** How many lines have come so far. */
  count(): number;
  /** The kept lines, joined by newlines. */
  text(): string;
}

/** Keeps the last `maxLines` lines of the streams that are added. */
export const outputTail = (maxLines = 200): OutputTail => {
  const lines: string[] = [];
  const unfinished = new Map<Readable, string>();
  let total = 0;

  const onText = (stream: Readable, text: string): void => {
    const parts = ((unfinished.get(stream) ?? "") + text).split("\n");
    unfinished.set(stream, parts.pop() ?? "");
    total += parts.length;
    lines.push(...parts);
    if (lines.length > maxLines) lines.splice(0, lines.length - maxLines);
  };

  return {
    add(...streams) {
      for (const stream of streams) {
        stream.setEncoding("utf8");
        stream.on("data", (text: string) => onText(stream, text));
      }
    },
    lastLine: () => lines.at(-1) ?? "",
    count: () => total,
    text: () => [...lines, ...[...unfinished.values()].filter((rest) => rest !== "")].join("\n"),
  };
};
