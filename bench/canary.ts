import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { sumOfCounts } from "../src/routing/canary/canary-counts.ts";
import { canarySettings } from "../src/routing/canary/canary-settings.ts";
import { harmOf } from "../src/routing/canary/judge.ts";
import { startConsul } from "../test/servers/consul.ts";
import type { CanaryAnswer } from "./canary-process.ts";
import { type Child, startChild } from "./children.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport, median, progress, progressDone } from "./report.ts";

const processes = 8;
const failures = 0.02;
const extra = 0.05;
/** Time for which equals are watched, and at most a bad one, in milliseconds. */
const equalsMs = 60_000;
const badMs = 300_000;
const askMs = 100;

/** Times of one run, in milliseconds. */
interface Run {
  /** From the first call to the moment at which the counts of all processes together pass the test. */
  readonly knownMs: number;
  /** From that moment to the last process that has gone back. */
  readonly lateMs: number;
  readonly calls: number;
}

/**
 * Measures how long eight processes take to go back from a bad canary by a real Consul, counted from the moment at which the test can know it: that is when the
 * counts of all processes together, which none of them sees at once, pass it.
 */
export async function canary(rounds = 3): Promise<BenchReport> {
  await using registry = await startConsul();
  const runs: Run[] = [];
  let rolledBack = 0;
  for (let round = 0; round < rounds; round++) {
    progress("canary", `a bad one, round ${round + 1} of ${rounds}`);
    runs.push(await bad(registry.url, `bad-${round}`));
    progress("canary", `equals, round ${round + 1} of ${rounds}`);
    if (await goesBack(registry.url, `equal-${round}`)) rolledBack++;
  }
  progressDone();
  const late = runs.map(({ lateMs }) => lateMs / 1_000);
  return {
    bench: "canary",
    about: `${processes} processes with 5 calls a second each, 25 % to the canary, by a real Consul: ${100 * failures} % of the calls fail, of those to a bad canary ${Math.round(100 * (failures + extra))} %. Seconds from the first call until the counts of all pass the test, and from then until the last process has gone back; equals are watched for ${equalsMs / 1_000} s`,
    node: measuredVersion(),
    rounds,
    columns: ["canary", "rounds", "calls", "known after s", "back everywhere s", "highest", "rolled back"],
    rows: [
      [
        "5 % more errors",
        rounds,
        median(runs.map(({ calls }) => calls)),
        median(runs.map(({ knownMs }) => knownMs / 1_000)),
        median(late),
        Math.max(...late),
        rounds,
      ],
      ["equal", rounds, "-", "-", "-", "-", rolledBack],
    ],
    bounds: [
      atMost("back everywhere after the test can know it, s", Math.max(...late), 10),
      atMost("equals that were rolled back", rolledBack, 0),
    ],
    ratios: {},
  };
}

async function bad(url: string, key: string): Promise<Run> {
  await using fleet = await Fleet.start(url, key, failures + extra);
  const startedAt = performance.now();
  let knownAt: number | undefined;
  while (performance.now() - startedAt < badMs) {
    const answers = await fleet.ask();
    const all = sumOfCounts(answers.map(({ counts }) => counts));
    const haveGoneBack = answers.every(({ state }) => state === "rolled-back");
    if (harmOf({ all, groups: [all] }, canarySettings({ steps: [25] }))?.isProved || answers.some(({ state }) => state === "rolled-back"))
      knownAt ??= performance.now();
    if (haveGoneBack && knownAt !== undefined) {
      const calls = all.reduce((sum, { stable, canary }) => sum + stable.calls + canary.calls, 0);
      return { knownMs: knownAt - startedAt, lateMs: performance.now() - knownAt, calls };
    }
    await pause(askMs);
  }
  throw new Error(`a canary that fails ${100 * extra} % more was not rolled back within ${badMs / 1_000} s`);
}

async function goesBack(url: string, key: string): Promise<boolean> {
  await using fleet = await Fleet.start(url, key, failures);
  await pause(equalsMs);
  return (await fleet.ask()).some(({ state }) => state === "rolled-back");
}

/** The processes, and the two versions that they call. */
class Fleet implements AsyncDisposable {
  readonly #children: readonly Child<object, CanaryAnswer>[];
  readonly #servers: readonly Server[];

  private constructor(children: readonly Child<object, CanaryAnswer>[], servers: readonly Server[]) {
    this.#children = children;
    this.#servers = servers;
  }

  static async start(url: string, key: string, failuresOfNext: number): Promise<Fleet> {
    const servers = await Promise.all([serve(failures), serve(failuresOfNext)]);
    const ports = servers.map((server) => String((server.address() as AddressInfo).port));
    const start = () => startChild<object, CanaryAnswer>("canary-process.ts", [url, ...ports, key]);
    return new Fleet(await Promise.all(Array.from({ length: processes }, start)), servers);
  }

  ask(): Promise<readonly CanaryAnswer[]> {
    return Promise.all(this.#children.map((child) => child.ask({})));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

async function serve(share: number): Promise<Server> {
  const server = createServer((_request, response) => {
    response.statusCode = Math.random() < share ? 500 : 200;
    response.end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}
