import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { startChild } from "./children.ts";
import { buildPackage, freshClients, runFresh } from "./fresh-process.ts";
import { type InstalledPackage, installedBytes } from "./installed-size.ts";
import { measuredNode, measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { type Measurements, measureRounds } from "./rounds.ts";

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);
const megabyte = 1_000_000;
/** The clients that are compared here: the one that is only watched on use spreads many calls over its instances, for `bench -- on-use`. */
const clients = freshClients.filter((client) => client !== "mesh.fetch, on-use" && !client.endsWith(", imported"));
/** The clients of the rows with a thousand calls: a bare node makes none. */
const clientsOfMany = clients.filter((client) => client !== "bare node");

const firstCall = (client: string): string => `${client}, first call`;
const thousandCalls = (client: string): string => `${client}, 1,000 calls`;
const imported = 'import "inmesh"';
/** As an application would import them: of undici the mesh loads single files. */
const alone = "the packages that it uses, whole";

/** Measures the import of the package beside that of its dependencies, the CPU of a process up to its first call, and the size on disk. */
export async function importCost(rounds = 15): Promise<BenchReport> {
  await buildPackage();
  await using server = await startChild<never, number>("json-server.ts");
  const entry = pathToFileURL(join(root, "dist", "index.js")).href;
  const { packages } = await importing("packages", [entry]);
  const cost = (specifiers: readonly string[]) => async () => (await importing("cost", specifiers)).micros;
  const start = (client: string, calls: number) => () => runFresh(client, calls, server.ready);
  const measured = await measureRounds("import", rounds, {
    [imported]: cost([entry]),
    [alone]: cost(packages),
    ...Object.fromEntries(packages.map((name) => [name, cost([name])])),
    ...Object.fromEntries(clients.map((client) => [firstCall(client), start(client, 1)])),
    ...Object.fromEntries(clientsOfMany.map((client) => [thousandCalls(client), start(client, 1_000)])),
  });
  const sizes = await installedBytes(root);
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    bench: "import",
    about:
      "CPU of fresh processes: of an import, and of everything from the start of the process to the first answered call and to the thousandth; the size of the package as it is installed",
    node: measuredVersion(),
    rounds,
    columns: ["what", "ms CPU", "× those packages", "× undici.request", "× Node's fetch", "MB installed"],
    rows: [
      ...importRows(measured, packages, sizes),
      ...startRows(measured, firstCall, clients),
      ...startRows(measured, thousandCalls, clientsOfMany),
      ["installed with everything it needs", "", "", "", "", total / megabyte],
    ],
    bounds: [
      atMost('import "inmesh" × the packages that it uses, whole', measured.ratio(imported, alone), 0.85),
      atMost("mesh.fetch, first call × undici.request", measured.ratio(firstCall("mesh.fetch"), firstCall("undici.request")), 0.95),
      atMost("mesh.fetch, first call × Node's fetch", measured.ratio(firstCall("mesh.fetch"), firstCall("Node's fetch")), 1.75),
      atMost("mesh.fetch, 1,000 calls × Node's fetch", measured.ratio(thousandCalls("mesh.fetch"), thousandCalls("Node's fetch")), 0.85),
      atMost("MB installed with dependencies", total / megabyte, 8),
    ],
    ratios: {
      "mesh import × the packages that it uses": measured.ratio(imported, alone),
      "mesh.fetch first call × undici.request": measured.ratio(firstCall("mesh.fetch"), firstCall("undici.request")),
      "mesh.fetch first call × Node's fetch": measured.ratio(firstCall("mesh.fetch"), firstCall("Node's fetch")),
      "mesh.fetch 1,000 calls × Node's fetch": measured.ratio(thousandCalls("mesh.fetch"), thousandCalls("Node's fetch")),
      "mesh MB installed": total / megabyte,
    },
  };
}

function importRows(measured: Measurements, packages: readonly string[], sizes: readonly InstalledPackage[]): BenchReport["rows"] {
  const sizeOf = (name: string): string | number => {
    const found = sizes.find((size) => size.name === (name === imported ? "inmesh" : name));
    return found === undefined ? "" : found.bytes / megabyte;
  };
  const loaded = [imported, alone, ...packages];
  return [
    ...loaded.map((name) => [name, measured.median(name) / 1000, measured.ratio(name, alone), "", "", sizeOf(name)]),
    ...sizes
      .filter(({ name }) => name !== "inmesh" && !packages.includes(name))
      .map(({ name, bytes }) => [`${name} (not loaded)`, "", "", "", "", bytes / megabyte]),
  ];
}

function startRows(measured: Measurements, caseOf: (client: string) => string, clients: readonly string[]): BenchReport["rows"] {
  return clients.map((client) => [
    caseOf(client),
    measured.median(caseOf(client)) / 1000,
    "",
    measured.ratio(caseOf(client), caseOf("undici.request")),
    measured.ratio(caseOf(client), caseOf("Node's fetch")),
    "",
  ]);
}

async function importing(mode: "packages" | "cost", specifiers: readonly string[]): Promise<{ micros: number; packages: string[] }> {
  const { stdout } = await run(measuredNode(), [join(import.meta.dirname, "import-process.ts"), mode, ...specifiers], { cwd: root });
  return JSON.parse(stdout) as { micros: number; packages: string[] };
}
