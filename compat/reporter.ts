// A reporter for node:test: one JSON line when a test begins and one when it has ended. A process that never ends has thus reported the
// test that it hangs in.

interface Event {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly line?: number;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details?: { readonly passed?: boolean; readonly type?: string; readonly error?: TestError };
  };
}

interface TestError extends Error {
  readonly failureType?: string;
}

/** A line of the report. */
export type ReportLine =
  | { readonly type: "begin"; readonly name: string; readonly line: number; readonly depth: number }
  | {
      readonly type: "end";
      readonly name: string;
      readonly line: number;
      readonly depth: number;
      readonly outcome: "passed" | "failed" | "skipped";
      /** The entry contains tests and is none itself, or failed only because one of them did. */
      readonly isGroup: boolean;
      readonly why: string;
    };

async function* report(events: AsyncIterable<Event>): AsyncGenerator<string> {
  const path: string[] = [];
  const groups = new Set<string>();
  for await (const { type, data } of events) {
    if (type !== "test:dequeue" && type !== "test:complete") continue;
    const { nesting, line = 0, details } = data;
    const name = [...path.slice(0, nesting), data.name].join(" > ");
    if (type === "test:dequeue") {
      path[nesting] = data.name;
      if (nesting > 0) groups.add(path.slice(0, nesting).join(" > "));
      yield written({ type: "begin", name, line, depth: nesting });
      continue;
    }
    const isFailed = details?.passed === false;
    const isSkipped = (data.skip ?? false) !== false || (data.todo ?? false) !== false;
    yield written({
      type: "end",
      name,
      line,
      depth: nesting,
      outcome: isSkipped ? "skipped" : isFailed ? "failed" : "passed",
      isGroup: details?.type === "suite" || (groups.has(name) && (!isFailed || details?.error?.failureType === "subtestsFailed")),
      why: isFailed ? firstLine(details?.error) : "",
    });
  }
}

function written(line: ReportLine): string {
  return `${JSON.stringify(line)}\n`;
}

function firstLine(error: TestError | undefined): string {
  const cause = (error?.cause ?? error) as { code?: string; name?: string; message?: string } | string | undefined;
  if (typeof cause !== "object") return String(cause);
  const text = `${cause.name ?? "Error"}${cause.code === undefined ? "" : ` [${cause.code}]`}: ${cause.message ?? ""}`;
  const line = text.split("\n").filter(Boolean).slice(0, 5).join(" ").slice(0, 300);
  // Compared bytes may contain control characters.
  return line.replace(/[^\P{C} ]|\ufffd/gu, "·");
}

// biome-ignore lint/style/noDefaultExport: node:test takes the default export of a reporter.
export default report;
