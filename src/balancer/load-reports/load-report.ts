import type { MeshResponse } from "../../core/dispatch.ts";
import { headerOf } from "../../core/http/response-headers.ts";
import { emptyDraft, type ReportDraft } from "./report-draft.ts";
import { readProtobuf } from "./report-protobuf.ts";
import { readJson, readText } from "./report-text.ts";

/** The load of an instance as it reports it (ORCA, `xds.data.orca.v3.OrcaLoadReport`); 0 where it reports nothing. */
export interface LoadReport {
  /** CPU utilization, from 0; above 1 when the instance is beyond a soft limit. */
  readonly cpuUtilization: number;
  /** Utilization of the scarcest resource, as the application computes it; takes precedence over `cpuUtilization`. */
  readonly applicationUtilization: number;
  /** Requests per second. */
  readonly rps: number;
  /** Errors per second. */
  readonly eps: number;
  /** Metrics of the application, by name. */
  readonly named: ReadonlyMap<string, number>;
}

/** The headers or trailers with a report, with a format prefix or in base64. */
export const reportHeader = "endpoint-load-metrics";
export const binaryReportHeader = "endpoint-load-metrics-bin";

/** Longest report that is read, in characters; a few dozen metrics fit. */
const maxLength = 8_192;

/**
 * The load report in the headers of a response; `undefined` when there is none. A report is untrusted: one with a number that is
 * negative, not finite or above 10¹², in an unknown format, or longer than 8,192 characters is `"malformed"` as a whole.
 */
export function loadReportOf(response: Pick<MeshResponse, "headers" | "header">): LoadReport | "malformed" | undefined {
  return read(headerOf(response, reportHeader), headerOf(response, binaryReportHeader));
}

/** The load report in the trailers of a response whose body has been read, where gRPC servers send it. */
export function loadReportOfTrailers(trailers: readonly string[]): LoadReport | "malformed" | undefined {
  return trailers.length === 0 ? undefined : loadReportOf({ headers: trailers });
}

function read(value: string | undefined, binary: string | undefined): LoadReport | "malformed" | undefined {
  const found = binary ?? value;
  if (found === undefined) return undefined;
  if (found.length > maxLength) return "malformed";
  const draft = emptyDraft();
  const isGood = binary === undefined ? readPrefixed(found, draft) : readProtobuf(binary, draft);
  return isGood ? draft : "malformed";
}

function readPrefixed(value: string, draft: ReportDraft): boolean {
  const text = value.trim();
  switch (text.slice(0, text.indexOf(" ")).toUpperCase()) {
    case "TEXT":
      return readText(text.slice(5), draft);
    case "JSON":
      return readJson(text.slice(5), draft);
    case "BIN":
      return readProtobuf(text.slice(4), draft);
    default:
      return false;
  }
}
