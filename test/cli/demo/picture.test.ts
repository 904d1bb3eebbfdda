import { describe, expect, it } from "vitest";
import { Avoidance } from "../../../src/cli/demo/avoidance.ts";
import { DemoStatistics } from "../../../src/cli/demo/demo-statistics.ts";
import { type DemoState, pictureOf, widthOfLine } from "../../../src/cli/demo/picture.ts";

const endpoint = (id: string) => ({ endpoint: { id, host: "127.0.0.1", port: 1 }, address: "127.0.0.1:45513", latencyMs: 3 });
const why = "one wait was beyond chance, next try in 1 s, in 7 s with a method that is not safe";
const state: DemoState = {
  title: 'inmesh demo — 80 GET/s and 8 POST/s to "shop" by memory',
  endpoints: [
    { ...endpoint("shop-a"), state: "available", avoided: undefined, candidate: true },
    { ...endpoint("shop-b"), state: "ejected", avoided: undefined, candidate: false },
    { ...endpoint("shop-c"), state: "available", avoided: why, candidate: true },
  ],
  share: new Map([
    ["shop-a", 87],
    ["shop-c", 1],
  ]),
  totals: { ...new DemoStatistics().totals, getOk: 123_456, postOk: 12_345, retries: 123, breakerOpened: 12, avoided: 12 },
  events: Array.from({ length: 8 }, (_, second) => `  ${second}.0 s  the picker avoids shop-c: ${why}`),
};

describe("the picture of the demo", () => {
  it.each([60, 80, 120, 200])("fits a terminal of %i columns, and shows what the picker avoids", (columns) => {
    const lines = pictureOf(state, { columns, rows: 40 });
    for (const line of lines) expect(widthOfLine(line)).toBeLessThanOrEqual(columns);
    const text = lines.map((line) => line.map(([part]) => part).join("")).join("\n");
    expect(text).toMatch(/shop-a .*█+ +99 % .*available$/m);
    expect(text).toMatch(/shop-c .* 1 % .*available, avoided$/m);
    expect(
      lines
        .flat()
        .filter(([part, style]) => /█|^ +$/.test(part) && style !== undefined)
        .map(([, style]) => style),
    ).toEqual(["green", "red", "yellow"]);
    expect(text).toContain("instances avoided 12×");
  });
});

describe("the avoidance in the demo", () => {
  it("is noted when it begins and when it ends, and counted", () => {
    const statistics = new DemoStatistics();
    const avoidance = new Avoidance(statistics);
    const look = (avoided: string | undefined, candidate = true) =>
      avoidance.look([{ endpoint: { id: "a", host: "127.0.0.1", port: 1 }, avoided, candidate }]);
    for (const avoided of [undefined, "fails 50 %", "fails 60 %", undefined, undefined, "fails 100 %"]) look(avoided);
    look(undefined, false);
    expect(statistics.events.map((line) => line.slice(9))).toEqual([
      "the picker avoids a: fails 50 %",
      "the picker takes a again",
      "the picker avoids a: fails 100 %",
    ]);
    expect(statistics.totals.avoided).toBe(2);
  });
});
