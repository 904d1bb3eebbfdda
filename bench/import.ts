import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { installedBytes } from "./installed-size.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);
const megabyte = 1_000_000;

/** What `import "inmesh"` costs in a fresh process, beside what it imports, and what it takes on disk. */
export async function importCost(rounds = 15): Promise<BenchReport> {
  await run(process.execPath, ["build.ts"], { cwd: root });
  const entry = pathToFileURL(join(root, "dist", "index.js")).href;
  const { packages } = await importing("packages", [entry]);
  const cost = (specifiers: readonly string[]) => async () => (await importing("cost", specifiers)).micros;
  const mesh = 'import "inmesh"';
  const dependencies = "its dependencies alone";
  const measured = await measureRounds("import", rounds, {
    [mesh]: cost([entry]),
    [dependencies]: cost(packages),
    ...Object.fromEntries(packages.map((name) => [name, cost([name])])),
  });
  const sizes = await installedBytes(root);
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const names = [mesh, dependencies, ...packages];
  const sizeOf = (name: string): string | number => {
    const found = sizes.find((size) => size.name === (name === mesh ? "inmesh" : name));
    return found === undefined ? "" : found.bytes / megabyte;
  };
  return {
    bench: "import",
    about: "CPU of an import in a fresh process, and the size of the package as it is installed",
    node: process.version,
    rounds,
    columns: ["imported", "ms CPU", "× its dependencies", "MB installed"],
    rows: [
      ...names.map((name) => [name, measured.median(name) / 1000, measured.ratio(name, dependencies), sizeOf(name)]),
      ...sizes
        .filter(({ name }) => name !== "inmesh" && !packages.includes(name))
        .map(({ name, bytes }) => [`${name} (not loaded)`, "", "", bytes / megabyte]),
      ["installed together", "", "", total / megabyte],
    ],
    bounds: [
      atMost('import "inmesh" × its dependencies alone', measured.ratio(mesh, dependencies), 1.15),
      atMost("MB installed with dependencies", total / megabyte, 8),
    ],
    ratios: { "mesh import × its dependencies": measured.ratio(mesh, dependencies), "mesh MB installed": total / megabyte },
  };
}

async function importing(mode: "packages" | "cost", specifiers: readonly string[]): Promise<{ micros: number; packages: string[] }> {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, "import-process.ts"), mode, ...specifiers], { cwd: root });
  return JSON.parse(stdout) as { micros: number; packages: string[] };
}
