import { readFileSync } from "node:fs";
import * as stable from "@opentelemetry/semantic-conventions";
import * as incubating from "@opentelemetry/semantic-conventions/incubating";
import { expect, test } from "vitest";
import { withTables } from "../../docs/telemetry-tables.ts";
import { attribute } from "../../src/telemetry/attribute-names.ts";
import { metricTable } from "../../src/telemetry/metrics/metric-table.ts";
import { spanTable } from "../../src/telemetry/spans/span-table.ts";

const page = readFileSync(new URL("../../docs/reference/telemetry.md", import.meta.url), "utf8");

test("docs/reference/telemetry.md has every metric and span as the tables have them (node docs/telemetry-tables.ts --write)", () => {
  expect(page).toBe(withTables(page));
});

test("docs/reference/telemetry.md names every channel of the events", () => {
  const events = readFileSync(new URL("../../src/telemetry/channel-messages.ts", import.meta.url), "utf8");
  const channels = events.match(/"inmesh:[a-z:]+"/g)?.map((name) => name.slice(1, -1));
  expect(channels?.length).toBeGreaterThan(10);
  expect(channels?.filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
  expect([...new Set(page.match(/inmesh:[a-z:]+[a-z]/g))].sort()).toEqual(channels?.sort());
});

test("a name is one of the semantic conventions or starts with inmesh.", () => {
  const conventions = new Set([...Object.values<unknown>(stable), ...Object.values<unknown>(incubating)]);
  const names = [...Object.values(attribute), ...Object.values(metricTable).map((metric) => metric.name)];
  expect(names.filter((name) => !name.startsWith("inmesh.") && !conventions.has(name))).toEqual([]);
});

test("every attribute is one that a metric or a span carries", () => {
  const carried = new Set([
    ...Object.values(metricTable).flatMap(({ attributes, optional = {} }) => [...attributes, ...Object.values(optional).flat()]),
    ...Object.values(spanTable).flatMap((span) => span.attributes),
  ]);
  expect(Object.values(attribute).filter((name) => !carried.has(name))).toEqual([]);
});
