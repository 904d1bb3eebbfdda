// node bench/sensitivity.ts [--random N] [--seed N] [--only NAME]...: random scenarios with half and double of each constant of the adaptive picker.
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { endWithUs } from "../test/servers/end-with-us.ts";
import { progress, progressDone } from "./report.ts";
import type { Finding } from "./simulate/table.ts";

/** The text before each constant, in the file that it is in. */
const constants: readonly (readonly [file: string, before: string])[] = [
  ["pickers/adaptive-options.ts", "decayMs: number({ default: "],
  ["pickers/adaptive-options.ts", "failureHalfLifeMs: number({ default: "],
  ["pickers/adaptive-options.ts", "failureWeight: number({ default: "],
  ["pickers/adaptive-survey.ts", "const maxScanned = "],
  ["lists/hand.ts", "const handSize = "],
  ["pickers/adaptive-spread.ts", "const toldApartAt = "],
  ["pickers/adaptive-spread.ts", "const toldApartTogetherAt = "],
  ["pickers/adaptive-spread.ts", "const fewSamples = "],
  ["pickers/adaptive-survey.ts", "const alikeMs = "],
  ["pickers/adaptive-survey.ts", "const maxShared = "],
  ["pickers/adaptive-survey.ts", "const suspectRatio = "],
  ["pickers/adaptive-survey.ts", "const unusualAge = "],
  ["pickers/adaptive-shares.ts", "const leastPart = "],
  ["pickers/adaptive-shares.ts", "const mostAhead = "],
  ["pickers/adaptive-shares.ts", "const freshMs = "],
  ["pickers/adaptive-shares.ts", "const freshCredit = "],
  ["pickers/adaptive-shares.ts", "const fastMs = "],
  ["pickers/adaptive-tries.ts", "const tryPart = "],
  ["pickers/adaptive-tries.ts", "const tryGap = "],
  ["pickers/adaptive-tries.ts", "const mendingGap = "],
  ["pickers/adaptive-tries.ts", "const harmlessRatio = "],
  ["learning/blame.ts", "const tolerated = "],
  ["learning/blame.ts", "const commonPart = "],
  ["learning/blame.ts", "const sampleSize = "],
  ["learning/blame.ts", "const deviations = "],
  ["learning/failure-share.ts", "const againStep = "],
  ["learning/failure-share.ts", "const ownUpTo = "],
  ["learning/failure-share.ts", "const chanceFrom = "],
  ["learning/failure-rate.ts", "const windowMs = "],
  ["learning/failure-rate.ts", "const leastStep = "],
  ["learning/failure-rate.ts", "const mostStep = "],
  ["learning/failure-memory.ts", "const mostForgiven = "],
  ["learning/failure-memory.ts", "const byChance = "],
  ["learning/failure-memory.ts", "const sureRate = "],
  ["learning/failure-memory.ts", "const relapseMs = "],
  ["learning/latency-estimate.ts", "const maxSamples = "],
  ["learning/latency-estimate.ts", "const recentSamples = "],
  ["learning/latency-estimate.ts", "const recentMs = "],
  ["learning/latency-estimate.ts", "const leastMemory = "],
  ["learning/latency-estimate.ts", "const leastRecentMemory = "],
  ["learning/latency-estimate.ts", "const changedAt = "],
  ["learning/latency-estimate.ts", "const suspectDeviations = "],
  ["learning/latency-estimate.ts", "const suspectFactor = "],
  ["learning/slowness.ts", "const mildAfterMs = "],
  ["learning/slowness.ts", "const trialMs = "],
  ["learning/slowness.ts", "const trialPicks = "],
  ["learning/try-pauses.ts", "const leastSafeMs = "],
  ["learning/try-pauses.ts", "const mostSafeMs = "],
  ["learning/try-pauses.ts", "const safePart = "],
  ["learning/try-pauses.ts", "const slowPart = "],
  ["learning/try-pauses.ts", "const mostSlowMs = "],
  ["learning/try-pauses.ts", "const leastUnsafeMs = "],
  ["learning/try-pauses.ts", "const picksPerLoss = "],
  ["learning/try-pauses.ts", "const picksPerSlow = "],
  ["learning/try-pauses.ts", "const longMs = "],
  ["learning/try-pauses.ts", "const relapseFactor = "],
  ["learning/track-record.ts", "const badnessOfRefusal = "],
];

const { values } = parseArgs({
  options: {
    random: { type: "string", default: "40" },
    seed: { type: "string", default: "1" },
    only: { type: "string", multiple: true, default: [] },
  },
});
const root = join(import.meta.dirname, "..");
const wanted = constants.filter(([, before]) => values.only.length === 0 || values.only.includes(nameOf(before)));

function nameOf(before: string): string {
  return before.replace(/const | = |: number\(\{ default: /g, "");
}

/** A constant in its file: what is before its number, the number as it is written, and what is behind it. */
function constantIn(
  source: string,
  file: string,
  before: string,
): { readonly head: string; readonly written: string; readonly tail: string } {
  const at = source.indexOf(before) + before.length;
  const [written = ""] = /^[\d._e]+/.exec(source.slice(at)) ?? [];
  if (written === "") throw new Error(`${file} has no number after ${JSON.stringify(before)}`);
  return { head: source.slice(0, at), written, tail: source.slice(at + written.length) };
}

// All of them at once: a measurement takes minutes.
for (const [file, before] of constants) constantIn(readFileSync(join(root, "src/balancer", file), "utf8"), file, before);
const run = promisify(execFile);
const copy = mkdtempSync(join(tmpdir(), "inmesh-sensitivity-"));
const forget = endWithUs(() => rmSync(copy, { recursive: true, force: true }));

/** The figures of every scenario, with the picker of the copy. */
async function measure(): Promise<readonly (readonly [success: number, meanMs: number, p99Ms: number])[]> {
  const json = join(copy, "findings.json");
  const args = ["--random", values.random, "--seed", values.seed, "--picker", "adaptive", "--json", json];
  await run(process.execPath, [join(copy, "bench/simulate.ts"), ...args], { cwd: copy, maxBuffer: 2 ** 26 });
  return (JSON.parse(readFileSync(json, "utf8")) as readonly Finding[]).map(({ rows }) => {
    const figures = rows[0]?.figures;
    return [figures?.successPercent ?? Number.NaN, figures?.meanMs ?? Number.NaN, figures?.p99Ms ?? Number.NaN];
  });
}

try {
  for (const part of ["src", "bench", "test", "package.json", "tsconfig.json"])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const now = await measure();
  console.log(`${now.length} random scenarios, seed ${values.seed}: against the constants as they are\n`);
  console.log(
    `${"constant".padEnd(30)}${"points of success".padStart(18)}${"worst".padStart(8)}${"× mean".padStart(8)}${"× p99".padStart(8)}`,
  );
  for (const [file, before] of wanted) {
    for (const factor of [0.5, 2]) {
      const path = join(copy, "src/balancer", file);
      const source = readFileSync(path, "utf8");
      const { head, written, tail } = constantIn(source, file, before);
      const value = Number(written.replaceAll("_", "")) * factor;
      const name = `${nameOf(before)} ${value}`;
      progress("sensitivity", name);
      writeFileSync(path, head + value + tail);
      const found = await measure();
      writeFileSync(path, source);
      const changes = found.map(([success], index) => success - (now[index]?.[0] ?? Number.NaN));
      // Where the numbers of successes differ, the means are of different requests.
      const alike = found.flatMap((each, index) =>
        Math.abs(changes[index] as number) < 0.5 ? [[each, now[index] as typeof each] as const] : [],
      );
      const ratio = (field: 1 | 2): number =>
        Math.exp(alike.reduce((sum, [each, base]) => sum + Math.log(each[field] / base[field]), 0) / alike.length);
      const mean = changes.reduce((sum, each) => sum + each, 0) / changes.length;
      const cells = [
        mean.toFixed(2).padStart(18),
        Math.min(...changes)
          .toFixed(2)
          .padStart(8),
        ratio(1).toFixed(3).padStart(8),
        ratio(2).toFixed(3).padStart(8),
      ];
      console.log(name.padEnd(30) + cells.join(""));
    }
  }
} finally {
  progressDone();
  forget();
  rmSync(copy, { recursive: true, force: true });
}
