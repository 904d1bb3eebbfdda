import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { figuresOf } from "../../../bench/simulate/case.ts";
import { clusterCases } from "../../../bench/simulate/cluster.ts";
import { dialogueCases } from "../../../bench/simulate/dialogue.ts";
import { finagleCases } from "../../../bench/simulate/finagle.ts";
import { merged } from "../../../bench/simulate/groups.ts";
import { pickers } from "../../../bench/simulate/pickers.ts";
import { randomCases } from "../../../bench/simulate/random.ts";
import { undiciCases } from "../../../bench/simulate/undici.ts";
import type { Picker } from "../../../src/extend.ts";
import { adaptive, roundRobin } from "../../../src/index.ts";
import { simulate } from "../../../src/testing/index.ts";

const all = [...dialogueCases, ...finagleCases, ...undiciCases, ...clusterCases, ...randomCases(7, 20)];

/** Plays a case by its name. */
function play(name: string, picker: (options: { random: () => number }) => Picker, durationMs?: number) {
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no case ${name}`);
  const { scenario, options } = found;
  return simulate({
    ...scenario,
    ...(durationMs !== undefined && { durationMs }),
    name,
    options: (client) => ({ ...(typeof options === "function" ? options(client) : options), picker: picker({ random: client.random }) }),
  });
}

describe("the scenarios that come with it", () => {
  it("have names of their own", () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    expect(all.length).toBeGreaterThan(60);
  });

  it.each(all.filter(({ isLarge }) => !isLarge).map(({ name }) => name))("%s can be played", async (name) => {
    const { requests } = await play(name, roundRobin, 20);
    expect(requests).toBeGreaterThanOrEqual(0);
  });

  it("include all but one of dialogue's published scenarios, with its figures", () => {
    const names = dialogueCases.filter(({ name }) => name.startsWith("dialogue/"));
    expect(names).toHaveLength(15);
    for (const { published = [] } of names) {
      expect(published.map(({ name }) => name)).toEqual([
        "dialogue CONCURRENCY_LIMITER_PIN_UNTIL_ERROR",
        "dialogue CONCURRENCY_LIMITER_ROUND_ROBIN",
        "dialogue UNLIMITED_ROUND_ROBIN",
      ]);
    }
  });

  it("equal dialogue's: figures that do not depend on a picker are as published", async () => {
    const simplest = await play("dialogue/simplest_possible_case", roundRobin);
    expect(simplest.requests).toBe(13_200);
    expect(simplest.meanMs).toBeCloseTo(800, -1);
    const spike = await play("dialogue/one_big_spike", roundRobin);
    expect(spike.requests).toBe(1_000);
    // Published: 3.388 attempts and 99.9 %.
    expect(spike.attemptsPerRequest).toBeCloseTo(3.388, 0);
    expect(spike.successRatio).toBeGreaterThan(0.98);
    const outage = await play("dialogue/all_nodes_500", adaptive);
    expect(figuresOf(outage, {})).toMatchObject({ successPercent: 50, meanMs: 600, attempts: 1 });
  });

  it("equal undici's: round robin fails as often", async () => {
    for (const { name, published = [] } of undiciCases.slice(0, 5)) {
      expect(100 * (await play(name, roundRobin)).successRatio, name).toBe(published[0]?.figures.successPercent);
    }
  });

  it("are played with every picker that has a page", () => {
    const pages = readdirSync(join(import.meta.dirname, "../../../docs/reference/pickers")).filter((file) =>
      /^(?!which|README).*\.md$/.test(file),
    );
    const names = pages.map((file) => file.slice(0, -3).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()));
    expect([...pickers.keys()].sort()).toEqual(names.sort());
  });
});

describe("random scenarios", () => {
  it("are the same for the same seed, different for another, and the first of a longer list", () => {
    const said = (seed: number, count: number) => randomCases(seed, count).map(({ about }) => about);
    expect(said(3, 5)).toEqual(said(3, 20).slice(0, 5));
    expect(said(4, 5)).not.toEqual(said(3, 5));
  });

  it("differ in size, load and incidents", () => {
    const about = randomCases(1, 100).map((each) => each.about);
    for (const word of [
      "hang",
      "reset",
      "down",
      "unreachable",
      "slower",
      "fast 4",
      "joins cold",
      "route fails",
      "no queue",
      "workers",
      "defaults",
    ])
      expect(about.filter((each) => each.includes(word)).length, word).toBeGreaterThan(2);
    const sizes = about.map((each) => Number(each.split(" ")[0]));
    expect(Math.min(...sizes)).toBeLessThan(4);
    expect(Math.max(...sizes)).toBeGreaterThan(40);
  });
});

describe("several runs of the same servers", () => {
  it("are added up to one result", async () => {
    const runs = await Promise.all(
      [1, 2, 3].map((seed) =>
        simulate({
          servers: [{ copies: 3, answers: {} }],
          arrivals: { ratePerSecond: 1_000 },
          durationMs: 500,
          clients: 4,
          seed,
          timelineParts: 4,
          options: ({ random }) => ({ picker: roundRobin({ random }) }),
        }),
      ),
    );
    const one = merged(runs);
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    expect(one.requests).toBe(sum(runs.map(({ requests }) => requests)));
    expect(sum(one.servers.map(({ requests }) => requests))).toBe(one.requests);
    expect(sum(one.servers.map(({ share }) => share))).toBeCloseTo(1);
    expect(one.servers.map(({ connections }) => connections)).toEqual([12, 12, 12]);
    expect(one.timeline.map(({ attempts }) => sum(attempts))).toEqual(
      one.timeline.map((_, part) => sum(runs.flatMap(({ timeline }) => timeline[part]?.attempts ?? []))),
    );
  });
});
