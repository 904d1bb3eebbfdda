// npm run parity -- envoy|nginx [--only TEXT] [--write]: runs the cases on the real server and on inmesh, prints a row for each, and fails where one differs.
import { parseArgs } from "node:util";
import { envoyCases } from "./envoy/cases/index.ts";
import { compareEnvoy } from "./envoy/compare-envoy.ts";
import { nginxCases } from "./nginx/cases/index.ts";
import { compareNginx } from "./nginx/compare-nginx.ts";
import type { ParityCase, Row } from "./parity-case.ts";
import { writeTable } from "./table.ts";

interface Suite {
  readonly cases: readonly ParityCase[];
  readonly run: (cases: readonly ParityCase[]) => Promise<readonly Row[]>;
}

const suites: Readonly<Record<string, Suite>> = {
  envoy: { cases: envoyCases, run: compareEnvoy },
  nginx: { cases: nginxCases, run: compareNginx },
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: "string" }, write: { type: "boolean" } } });
const [name = ""] = positionals;
const suite = Object.hasOwn(suites, name) ? suites[name] : undefined;
if (suite === undefined) throw new Error(`npm run parity -- NAME; there are ${Object.keys(suites).join(", ")}`);
const cases = suite.cases.filter((each) => values.only === undefined || each.name.includes(values.only));
const rows = await suite.run(cases);
for (const row of rows) console.log(`${row.verdict.padEnd(9)} ${row.name.padEnd(36)} ${row.note}`);
const count = (verdict: Row["verdict"]): number => rows.filter((row) => row.verdict === verdict).length;
console.log(
  `\n${rows.length} cases: ${count("equal")} equal, ${count("explained")} explained, ${count("different")} different, ${count("failed")} failed`,
);
if (values.write === true) writeTable(name, rows);
if (count("different") + count("failed") > 0) process.exitCode = 1;
