import { Buffer } from "node:buffer";
import type { MeshResponse } from "../../core/dispatch.ts";
import { headerOf } from "../../core/http/response-headers.ts";

/** What an instance reports of its load (Open Request Cost Aggregation, `xds.data.orca.v3.OrcaLoadReport`). 0 where it says nothing. */
export interface LoadReport {
  /** Of the CPU that it may use, from 0; above 1 when it is beyond a soft limit. */
  readonly cpuUtilization: number;
  /** Of the resource that it runs out of first, by its own reckoning; counts before `cpuUtilization`. */
  readonly applicationUtilization: number;
  /** Requests per second that it serves. */
  readonly rps: number;
  /** Errors per second. */
  readonly eps: number;
  /** Metrics of the application's own, by name. */
  readonly named: ReadonlyMap<string, number>;
}

/** The headers, or trailers, that carry a report. */
export const reportHeader = "endpoint-load-metrics";
export const binaryReportHeader = "endpoint-load-metrics-bin";

/** A report of a few dozen metrics fits; a header of a megabyte is not even looked at. */
const maxLength = 8_192;
const maxNamed = 64;
/** No number of requests or seconds is larger. What is would drown every other number in a sum. */
const maxValue = 1e12;

interface Draft {
  cpuUtilization: number;
  applicationUtilization: number;
  rps: number;
  eps: number;
  named: Map<string, number>;
}

/**
 * The load report in a response's headers, `undefined` when there is none. What an instance sends is not to be trusted: a report
 * with a number that is negative, not finite or above 10¹², or in a format that is none, is `"malformed"` as a whole.
 */
export function loadReportOf(response: Pick<MeshResponse, "headers" | "header">): LoadReport | "malformed" | undefined {
  return parse(headerOf(response, reportHeader), headerOf(response, binaryReportHeader));
}

/** The same for the trailers of a response whose body has been read, where gRPC servers report. */
export function loadReportOfTrailers(trailers: readonly string[]): LoadReport | "malformed" | undefined {
  return trailers.length === 0 ? undefined : loadReportOf({ headers: trailers });
}

function parse(value: string | undefined, binary: string | undefined): LoadReport | "malformed" | undefined {
  const found = binary ?? value;
  if (found === undefined) return undefined;
  if (found.length > maxLength) return "malformed";
  const draft: Draft = { cpuUtilization: 0, applicationUtilization: 0, rps: 0, eps: 0, named: new Map() };
  const isGood = binary === undefined ? parsePrefixed(found, draft) : parseBinary(binary, draft);
  return isGood ? draft : "malformed";
}

function parsePrefixed(value: string, draft: Draft): boolean {
  const text = value.trim();
  switch (text.slice(0, text.indexOf(" ")).toUpperCase()) {
    case "TEXT":
      return parseText(text.slice(5), draft);
    case "JSON":
      return parseJson(text.slice(5), draft);
    case "BIN":
      return parseBinary(text.slice(4), draft);
    default:
      return false;
  }
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** `cpu_utilization=0.3, rps_fractional=10.0, named_metrics.queue=0.4`; a colon is as good as `=` (Envoy). */
function parseText(text: string, draft: Draft): boolean {
  const seen = new Set<string>();
  for (const pair of text.split(",")) {
    const separator = pair.search(/[=:]/);
    if (separator < 0) {
      if (pair.trim() === "") continue;
      return false;
    }
    const name = pair.slice(0, separator).trim();
    const value = pair.slice(separator + 1).trim();
    if (seen.has(name) || !decimal.test(value) || !put(draft, name, Number(value))) return false;
    seen.add(name);
  }
  return seen.size > 0;
}

/** Protobuf's JSON: names as in the message or in camel case. */
function parseJson(text: string, draft: Draft): boolean {
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof report !== "object" || report === null || Array.isArray(report)) return false;
  for (const [key, value] of Object.entries(report)) {
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (typeof value === "number") {
      if (!put(draft, name, value)) return false;
    } else if (name === "named_metrics" && typeof value === "object" && value !== null) {
      for (const [metric, number] of Object.entries(value)) if (!put(draft, `named_metrics.${metric}`, number)) return false;
    } else if (isScalar(name)) {
      return false;
    }
  }
  return true;
}

const scalars: ReadonlyMap<string, keyof Omit<Draft, "named">> = new Map([
  ["cpu_utilization", "cpuUtilization"],
  ["cpu", "cpuUtilization"],
  ["application_utilization", "applicationUtilization"],
  ["rps_fractional", "rps"],
  ["eps", "eps"],
]);
const namedPrefix = "named_metrics.";

function isScalar(name: string): boolean {
  return scalars.has(name);
}

/** `false` for a value that no instance can mean. What this mesh has no use for is left out. */
function put(draft: Draft, name: string, value: unknown): boolean {
  if (typeof value !== "number" || !(Math.abs(value) <= maxValue)) return false;
  if (name.startsWith(namedPrefix)) {
    if (name.length === namedPrefix.length || draft.named.size >= maxNamed) return false;
    draft.named.set(name.slice(namedPrefix.length), value);
    return true;
  }
  const field = scalars.get(name);
  if (field === undefined) return true;
  if (value < 0) return false;
  draft[field] = value;
  return true;
}

const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const fieldNames: ReadonlyMap<number, string> = new Map([
  [1, "cpu_utilization"],
  [6, "rps_fractional"],
  [7, "eps"],
  [9, "application_utilization"],
]);
const namedField = 8;

/** Protobuf's wire format: doubles have the wire type 1, a map is a repeated message of key (1) and value (2). */
function parseBinary(text: string, draft: Draft): boolean {
  const trimmed = text.trim();
  if (!base64.test(trimmed)) return false;
  const bytes = Buffer.from(trimmed, "base64");
  return eachField(bytes, 0, bytes.length, (field, value) => {
    const name = fieldNames.get(field);
    if (typeof value === "number") return name === undefined || put(draft, name, value);
    if (field !== namedField) return name === undefined;
    let key = "";
    let metric = 0;
    const isWhole = eachField(bytes, value.start, value.end, (part, content) => {
      if (part === 1 && typeof content !== "number") key = bytes.toString("utf8", content.start, content.end);
      if (part === 2 && typeof content === "number") metric = content;
      return true;
    });
    return isWhole && put(draft, `${namedPrefix}${key}`, metric);
  });
}

/** Calls `take` for each double and each length-delimited field; `false` as soon as it says so or the bytes are no message. */
function eachField(
  bytes: Buffer,
  start: number,
  end: number,
  take: (field: number, value: number | { start: number; end: number }) => boolean,
): boolean {
  let at = start;
  const varint = (): number => {
    let number = 0;
    for (let shift = 0; shift < 70 && at < end; shift += 7) {
      const byte = bytes[at++] as number;
      number += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return number;
    }
    return Number.NaN;
  };
  while (at < end) {
    const tag = varint();
    if (Number.isNaN(tag)) return false;
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        if (Number.isNaN(varint())) return false;
        break;
      case 1:
        if (at + 8 > end || !take(field, bytes.readDoubleLE(at))) return false;
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (!(at + length <= end)) return false;
        if (!take(field, { start: at, end: at + length })) return false;
        at += length;
        break;
      }
      case 5:
        at += 4;
        if (at > end) return false;
        break;
      default:
        return false;
    }
  }
  return true;
}
