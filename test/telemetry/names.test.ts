import { readFileSync } from "node:fs";
import * as stable from "@opentelemetry/semantic-conventions";
import * as incubating from "@opentelemetry/semantic-conventions/incubating";
import { expect, test } from "vitest";
import { attribute, metricTable, spanTable } from "../../src/telemetry/names.ts";
import { docsTables } from "./docs-table.ts";

test("docs/telemetry.md has every metric and span as the tables have them", () => {
  const page = readFileSync(new URL("../../docs/telemetry.md", import.meta.url), "utf8");
  expect(page).toContain(docsTables());
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
