import { fromText } from "../src/config/read-config.ts";
import { createMesh } from "../src/mesh/mesh.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

const lines = 10_000;
const linesAbove = 4;
const linesOfRule = 8;

/** Measures what a long file of configuration costs: its reading, and the step that puts it in force. */
export async function config(rounds = 9): Promise<BenchReport> {
  const text = textOf(lines);
  const measured = await measureRounds("config", rounds, {
    read: async () => {
      const startedAt = cpuMs();
      await fromText(text, "mesh.yaml");
      return cpuMs() - startedAt;
    },
    "put in force": async () => {
      const mesh = createMesh({ ...(await fromText(text, "mesh.yaml")), observers: [] });
      const { routes, retry } = await fromText(text.replaceAll("maxAttempts: 2", "maxAttempts: 3"), "mesh.yaml");
      const startedAt = cpuMs();
      mesh.reconfigure({ routes, retry });
      const tookMs = cpuMs() - startedAt;
      await mesh.close();
      return tookMs;
    },
  });
  const rows = (["read", "put in force"] as const).map(
    (name) => [name, measured.median(name), Math.min(...measured.values(name))] as const,
  );
  return {
    bench: "config",
    about: `CPU of the thread, in which nothing else runs, for a configuration of ${lines} lines in YAML with ${Math.floor((lines - linesAbove) / linesOfRule)} routes: it is read and checked, and put in force while the mesh runs`,
    node: measuredVersion(),
    rounds,
    columns: ["step", "ms, median of the rounds", "ms, fastest round"],
    rows,
    bounds: [atMost("ms of the reading", measured.median("read"), 200)],
    ratios: { "put in force × read": measured.ratio("put in force", "read") },
  };
}

/** A configuration with as many lines, of one part each. */
function textOf(count: number): string {
  const rules = Array.from({ length: (count - linesAbove) / linesOfRule }, (_, index) =>
    [
      `  - name: rule-${index}`,
      "    match:",
      "      path:",
      `        prefix: /api/v1/part-${index}`,
      "      method: GET",
      `    to: service-${index % 50}`,
      "    options:",
      `      timeoutMs: ${1_000 + index}`,
    ].join("\n"),
  );
  return ["discovery: { static: {} }", "timeoutMs: 3000", "retry: { maxAttempts: 2 }", "routes:", ...rules, ""].join("\n");
}

/** Of this thread: others of the machine do not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
