// npm run simulate -- [--only NAME]... [--picker NAME]... [--options JSON] [--seed N] [--seeds N] [--random N] [--json FILE] [--out DIR] [--list]
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Scenario, type SimulatedClient, type SimulatedOptions, type SimulationResult, simulate } from "../src/testing/index.ts";
import { progress, progressDone } from "./report.ts";
import { type Case, type Figures, figuresOf, meanFigures } from "./simulate/case.ts";
import { clusterCases } from "./simulate/cluster.ts";
import { dialogueCases } from "./simulate/dialogue.ts";
import { equalsCases } from "./simulate/equals.ts";
import { finagleCases } from "./simulate/finagle.ts";
import { backCases, flapCases } from "./simulate/forgiveness.ts";
import { merged } from "./simulate/groups.ts";
import { overviewOf } from "./simulate/overview.ts";
import { type MakePicker, pickers } from "./simulate/pickers.ts";
import { drawPortraits } from "./simulate/portraits.ts";
import { randomCases } from "./simulate/random.ts";
import { printRanking } from "./simulate/ranking.ts";
import { standingStillCases } from "./simulate/standing-still.ts";
import { chosen, type Finding, lineOf, printFinding } from "./simulate/table.ts";
import { undiciCases } from "./simulate/undici.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    picker: { type: "string", multiple: true, default: [] },
    options: { type: "string", default: "{}" },
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    random: { type: "string" },
    json: { type: "string" },
    out: { type: "string" },
    list: { type: "boolean", default: false },
  },
});

const seed = wholeNumber("--seed", values.seed);
const seeds = wholeNumber("--seeds", values.seeds);
const randomCount = values.random === undefined ? 0 : wholeNumber("--random", values.random);
const allCases: readonly Case[] =
  randomCount > 0
    ? randomCases(seed, randomCount)
    : [
        ...dialogueCases,
        ...finagleCases,
        ...undiciCases,
        ...clusterCases,
        ...equalsCases,
        ...backCases,
        ...flapCases,
        ...standingStillCases,
      ];
const moreOptions = optionsIn(values.options);
// The promises hold under the conditions of each case.
const isOwn = Object.keys(moreOptions).length > 0;
const unknown = values.picker.find((name) => !pickers.has(name));
if (unknown !== undefined) fail(`no picker is called ${JSON.stringify(unknown)}; there are: ${[...pickers.keys()].join(", ")}`);
const cases = chosen(allCases, values.only);
if (cases.length === 0) fail(`no scenario is called ${values.only.join(" or ")}; --list names them`);

if (values.list) {
  for (const { name, about } of cases) console.log(`${name}: ${about}`);
} else if (values.out !== undefined) {
  await drawPictures(values.out);
} else {
  const findings: Finding[] = [];
  for (const each of cases) {
    const finding = await tryPickers(each);
    if (randomCount === 0 || values.only.length > 0) printFinding(finding);
    findings.push(finding);
  }
  const bounds = findings.flatMap((finding) => finding.bounds.map((bound) => ({ name: finding.name, bound })));
  const broken = bounds.filter(({ bound }) => !bound.held);
  if (bounds.length > 0) console.log(`\n${bounds.length - broken.length} of ${bounds.length} bounds held`);
  for (const { name, bound } of broken) console.log(`${name}: ${lineOf(bound)}`);
  if (randomCount > 0) printRanking(findings);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(findings, null, 2)}\n`);
  if (broken.length > 0) process.exitCode = 1;
}

/** Draws a picture for each picker that is wanted, and one of all. */
async function drawPictures(directory: string): Promise<void> {
  await drawPortraits(directory, values.picker, seed, (file) => progress("simulate", file));
  if (values.picker.length > 0) return progressDone();
  const findings: Finding[] = [];
  for (const each of allCases.filter(({ name }) => /^dialogue\/(?!server_side)/.test(name))) findings.push(await tryPickers(each));
  writeFileSync(join(directory, "overview.svg"), overviewOf(findings));
  progressDone();
}

async function tryPickers(each: Case): Promise<Finding> {
  const { name, about, published = [], bounds } = each;
  const found = new Map<string, Figures>();
  for (const [who, make] of pickers) {
    if (values.picker.length > 0 ? !values.picker.includes(who) : each.pickers?.includes(who) === false) continue;
    const runs: Figures[] = [];
    for (let run = 0; run < seeds; run++) {
      progress("simulate", `${name}, ${who}${seeds > 1 ? `, seed ${seed + run}` : ""}`);
      const groups: SimulationResult[] = [];
      for (let group = 0; group < (each.groups ?? 1); group++) {
        groups.push(await simulate(playable(each, make, (seed + run) * 1_000 + group)));
      }
      runs.push(figuresOf(merged(groups), each));
    }
    found.set(who, meanFigures(runs, each.worst));
  }
  progressDone();
  const rows = [...found].map(([who, figures]) => ({ name: who, figures }));
  return { name, about, rows: [...rows, ...published], bounds: isOwn ? [] : (bounds?.(found) ?? []) };
}

/** The case with this picker in every client. Servers report their load where the picker asks for it. */
function playable({ name, scenario, options }: Case, make: MakePicker, runSeed: number): Scenario {
  const reportsLoad = make === pickers.get("prequal");
  const clientOptions = (client: SimulatedClient) => ({
    ...(typeof options === "function" ? options(client) : options),
    ...moreOptions,
    picker: make({ random: client.random }),
  });
  const servers = reportsLoad ? scenario.servers.map((server) => ({ ...server, reportsLoad })) : scenario.servers;
  return { timelineParts: 0, ...scenario, name, servers, options: clientOptions, seed: runSeed };
}

function optionsIn(json: string): Omit<SimulatedOptions, "picker"> {
  try {
    return JSON.parse(json) as Omit<SimulatedOptions, "picker">;
  } catch {
    return fail(`--options must be options of the clients as JSON, not ${json}`);
  }
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!(Number.isInteger(number) && number > 0)) fail(`${option} must be a whole number from 1, not ${text}`);
  return number;
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
