// npm run bench -- [NAME...] [--rounds N] [--json FILE] [--node PROGRAM] [--guard] [--save-baseline]; for instances also [--seconds N] [--picker NAME]..., for
// admin [--minutes N]
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { adminPage } from "./admin.ts";
import { authorization } from "./authorization.ts";
import { isWithinBaseline, saveBaseline } from "./baseline.ts";
import { canary } from "./canary.ts";
import { config } from "./config.ts";
import { connect } from "./connect.ts";
import { endpoints } from "./endpoints.ts";
import { gatewayCost } from "./gateway.ts";
import { grpcCost } from "./grpc.ts";
import { importCost } from "./import.ts";
import { inbound } from "./inbound.ts";
import { instances } from "./instances.ts";
import { latency } from "./latency.ts";
import { measureOn } from "./measured-node.ts";
import { memory } from "./memory.ts";
import { onUse } from "./on-use.ts";
import { overhead } from "./overhead.ts";
import { picks } from "./picks.ts";
import { registration } from "./registration.ts";
import { type BenchReport, printReport } from "./report.ts";
import { routes } from "./routes.ts";
import { scrape } from "./scrape.ts";
import { secured } from "./secured.ts";
import { sidecar } from "./sidecar.ts";
import { stopping } from "./stopping.ts";
import { streaming } from "./streaming.ts";
import { telemetry } from "./telemetry.ts";
import { tokens } from "./tokens.ts";

/** The benches by name. All of them run when none is named. */
const benches: Readonly<Record<string, (rounds: number | undefined) => Promise<BenchReport>>> = {
  overhead,
  sidecar,
  secured,
  latency,
  telemetry,
  scrape,
  inbound,
  gateway: gatewayCost,
  grpc: grpcCost,
  authorization,
  routes,
  tokens,
  connect,
  config,
  streaming,
  stopping,
  canary,
  memory,
  "on-use": onUse,
  import: importCost,
  picks,
  endpoints,
  registration,
  admin: (rounds) => adminPage({ rounds, minutes }),
  instances: (rounds) => instances({ rounds, seconds, pickers: values.picker }),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "string" },
    node: { type: "string" },
    rounds: { type: "string" },
    seconds: { type: "string" },
    minutes: { type: "string" },
    picker: { type: "string", multiple: true },
    guard: { type: "boolean", default: false },
    "save-baseline": { type: "boolean", default: false },
  },
});
if (values.node !== undefined) measureOn(resolve(values.node));
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
if (seconds !== undefined && !(seconds > 0)) {
  console.error(`--seconds must be a number above 0, not ${values.seconds}`);
  process.exit(2);
}
const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
if (minutes !== undefined && !(minutes > 0)) {
  console.error(`--minutes must be a number above 0, not ${values.minutes}`);
  process.exit(2);
}
const wrong = positionals.find((name) => !Object.hasOwn(benches, name));
if (wrong !== undefined || (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))) {
  console.error(
    wrong === undefined
      ? `--rounds must be a whole number from 1, not ${values.rounds}`
      : `no bench is called ${JSON.stringify(wrong)}; there are: ${Object.keys(benches).join(", ")}`,
  );
  process.exit(2);
}

const reports: BenchReport[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const report = await bench(rounds);
  printReport(report);
  reports.push(report);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports.length === 1 ? reports[0] : reports, null, 2)}\n`);
if (values["save-baseline"]) saveBaseline(reports);
if (!values.guard) {
  if (reports.some((report) => report.bounds.some((bound) => !bound.held))) process.exitCode = 1;
} else {
  // Ratios are compared with those before the change: a bound that was broken before does not count against it.
  for (const report of reports) {
    if (isWithinBaseline(report)) continue;
    console.log("\nmeasured once more, in case it was the machine");
    const again = await (benches[report.bench] as (typeof benches)[string])(rounds);
    printReport(again);
    if (!isWithinBaseline(again)) process.exitCode = 1;
  }
}
