import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadReportOf, loadReportOfTrailers } from "../../../src/balancer/load-reports/load-report.ts";

const read = (value: string, name = "endpoint-load-metrics") => loadReportOf({ headers: ["content-type", "text/plain", name, value] });
const report = (fields: object, named: object = {}) => ({
  cpuUtilization: 0,
  applicationUtilization: 0,
  rps: 0,
  eps: 0,
  ...fields,
  named: new Map(Object.entries(named)),
});

/** The example of the description of the formats: cpu 0.1, 2 requests per second, foo 0.1 and bar 0.2. */
const published = "CZqZmZmZmbk/MQAAAAAAAABAQg4KA2ZvbxGamZmZmZm5P0IOCgNiYXIRmpmZmZmZyT8=";

describe("loadReportOf", () => {
  it.each([
    [
      "TEXT cpu_utilization=0.3, mem_utilization=0.8, rps_fractional=10.0, eps=1, named_metrics.custom_metric_util=0.4",
      report({ cpuUtilization: 0.3, rps: 10, eps: 1 }, { custom_metric_util: 0.4 }),
    ],
    ["TEXT cpu=0.3,mem=0.8,application_utilization=2", report({ cpuUtilization: 0.3, applicationUtilization: 2 })],
    ["TEXT cpu_utilization:0.7,named_metrics.foo:123", report({ cpuUtilization: 0.7 }, { foo: 123 })],
    ["text  rps_fractional=1e3 ,", report({ rps: 1_000 })],
    ["TEXT utilization.disk=0.5, request_cost.bytes=7, unknown=1", report({})],
    [
      "TEXT named_metrics.__proto__=1,named_metrics.delta=-3",
      report(
        {},
        Object.fromEntries([
          ["__proto__", 1],
          ["delta", -3],
        ]),
      ),
    ],
    [
      'JSON {"cpu_utilization": 0.3, "mem_utilization": 0.8, "rps_fractional": 10.0, "eps": 1, "named_metrics": {"custom-metric-util": 0.4}}',
      report({ cpuUtilization: 0.3, rps: 10, eps: 1 }, { "custom-metric-util": 0.4 }),
    ],
    [
      'JSON {"cpuUtilization":0.5,"rpsFractional":2,"applicationUtilization":1,"utilization":{"disk":1}}',
      report({ cpuUtilization: 0.5, rps: 2, applicationUtilization: 1 }),
    ],
    ["JSON {}", report({})],
    [`BIN ${published}`, report({ cpuUtilization: 0.1, rps: 2 }, { foo: 0.1, bar: 0.2 })],
  ])("reads %s", (value, expected) => {
    expect(read(value)).toEqual(expected);
  });

  it("reads a binary report from the header of gRPC, padded or not", () => {
    const expected = report({ cpuUtilization: 0.1, rps: 2 }, { foo: 0.1, bar: 0.2 });
    expect(read(published, "endpoint-load-metrics-bin")).toEqual(expected);
    expect(read(published.replace("=", ""), "endpoint-load-metrics-bin")).toEqual(expected);
    expect(loadReportOfTrailers(["endpoint-load-metrics-bin", published])).toEqual(expected);
  });

  it("returns undefined for a response without a report", () => {
    expect(loadReportOf({ headers: ["content-type", "text/plain"] })).toBeUndefined();
    expect(loadReportOfTrailers([])).toBeUndefined();
  });

  it.each([
    "",
    "TEXT",
    "TEXT ",
    "cpu_utilization=0.3",
    "XML <cpu>1</cpu>",
    "TEXT cpu_utilization",
    "TEXT cpu_utilization=",
    "TEXT cpu_utilization=-0.1",
    "TEXT cpu_utilization=NaN",
    "TEXT cpu_utilization=Infinity",
    "TEXT cpu_utilization=0x10",
    'TEXT cpu_utilization="0.7"',
    "TEXT rps_fractional=1e308",
    "TEXT rps_fractional=1e400",
    "TEXT cpu_utilization=0.1,cpu_utilization=0.2",
    "TEXT named_metrics.=1",
    `TEXT ${Array.from({ length: 65 }, (_, index) => `named_metrics.m${index}=1`).join(",")}`,
    `TEXT cpu_utilization=0.1,${" ".repeat(1_000_000)}`,
    "JSON",
    "JSON [",
    "JSON []",
    "JSON null",
    'JSON {"cpu_utilization":"0.3"}',
    'JSON {"cpu_utilization":1e308}',
    'JSON {"eps":-1}',
    'JSON {"named_metrics":{"rif":"3"}}',
    "BIN ???",
    "BIN CZqZ",
    "BIN CQ==",
    "BIN CZqZmZmZmbn/",
    "BIN CQAAAAAAAPB/",
    "BIN ////////////////",
  ])("drops %.60s", (value) => {
    expect(read(value)).toBe("malformed");
  });

  it("never throws, and reads only finite numbers", () => {
    const prefix = fc.constantFrom("TEXT ", "JSON ", "BIN ", "");
    const json = fc.json().map((text) => `JSON ${text}`);
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => `BIN ${Buffer.from(array).toString("base64")}`);
    const text = fc.tuple(prefix, fc.string({ maxLength: 80 })).map((parts) => parts.join(""));
    const pairs = fc
      .array(fc.tuple(fc.constantFrom("cpu_utilization", "eps", "rps_fractional", "named_metrics.x", "y"), fc.double()), { maxLength: 5 })
      .map((list) => `TEXT ${list.map((pair) => pair.join("=")).join(",")}`);
    fc.assert(
      fc.property(fc.oneof(json, bytes, text, pairs), (value) => {
        const found = read(value);
        if (typeof found !== "object") return;
        for (const number of [found.cpuUtilization, found.applicationUtilization, found.rps, found.eps]) {
          expect(number).toBeGreaterThanOrEqual(0);
          expect(number).toBeLessThanOrEqual(1e12);
        }
        for (const number of found.named.values()) expect(Math.abs(number)).toBeLessThanOrEqual(1e12);
      }),
      { numRuns: 2_000 },
    );
  });
});
