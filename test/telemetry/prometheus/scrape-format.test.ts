import { describe, expect, it } from "vitest";
import { acceptsGzip, formatFor, openMetrics, prometheusText } from "../../../src/telemetry/prometheus/scrape-format.ts";

describe("the format of a scrape", () => {
  it.each([
    [
      "Prometheus 2",
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    ],
    [
      "Prometheus 3",
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    ],
    ["who asks for no version", "application/openmetrics-text"],
    ["who likes both the same", "text/plain, application/openmetrics-text"],
    ["who quotes the version and writes capitals", 'Application/OpenMetrics-Text; Version="1.0.0"'],
  ])("is OpenMetrics for %s", (_who, accept) => {
    expect(formatFor(accept)).toBe(openMetrics);
  });

  it.each([
    ["who says nothing", undefined],
    ["a browser", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
    ["curl", "*/*"],
    ["who knows another version only", "application/openmetrics-text;version=0.0.1"],
    ["who likes plain text better", "application/openmetrics-text;version=1.0.0;q=0.4,text/plain;version=0.0.4"],
    ["who refuses OpenMetrics", "application/openmetrics-text;q=0"],
    ["nonsense", "application/openmetrics-text;q=much, ;;=,"],
    ["what inherits from every object", "constructor;__proto__=1"],
  ])("is plain text for %s", (_who, accept) => {
    expect(formatFor(accept)).toBe(prometheusText);
  });

  it.each([
    ["gzip", true],
    ["deflate, GZIP;q=0.5", true],
    ["gzip;q=0, identity", false],
    ["br", false],
    [undefined, false],
  ])("is compressed for %j: %s", (header, expected) => {
    expect(acceptsGzip(header)).toBe(expected);
  });
});
