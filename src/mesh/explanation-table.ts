import { reasonsText } from "../core/left-out.ts";
import type { RegistryReading } from "../core/observing/reading.ts";
import { cleanText } from "../core/text/clean-text.ts";
import { figuresLine } from "../core/text/figures.ts";
import type { OutsideEndpoint } from "../discovery/boundary/boundary.ts";
import type { EndpointExplanation, ServiceExplanation } from "./explanation.ts";

/** An explanation as text: lines about the service, then a line for each endpoint. */
export function explanationTable(explanation: Omit<ServiceExplanation, "toString">, nowMs: number): string {
  const { service, discovery, ageMs, discoveryError, registry, leftOut, breaker, endpoints, outside } = explanation;
  const age = ageMs === undefined ? "has not answered yet" : `answered ${(ageMs / 1_000).toFixed(1)} s ago`;
  const candidates = endpoints.filter(({ candidate }) => candidate).length;
  const head = [
    `${cleanText(service)}: ${candidates} of ${endpoints.length} endpoints are candidates, breaker of the service ${breaker}`,
    `registry ${registryText(registry)}: ${cleanText(discovery)} ${age}${discoveryError === undefined ? "" : `; now: ${cleanText(discoveryError)}`}`,
    ...(leftOut.length === 0 ? [] : [`left out: ${cleanText(reasonsText(leftOut))}`]),
  ];
  if (endpoints.length + outside.length === 0) return head.join("\n");
  const rows = [columns, ...endpoints.map((endpoint) => rowOf(endpoint, nowMs)), ...outside.map(rowOutside)];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("  "),
  );
  return [...head, "", ...lines.map((line) => line.trimEnd())].join("\n");
}

function registryText({ state, failingMs = 0 }: RegistryReading): string {
  if (state === "failing") return `failing for ${(failingMs / 1_000).toFixed(1)} s`;
  return state === "doubted" ? "in doubt, since its last answer leaves endpoints out" : state === "ok" ? "OK" : "waited for";
}

const columns = [
  "endpoint",
  "address",
  "zone",
  "prio",
  "weight",
  "meant",
  "got",
  "in flight",
  "attempts",
  "failed",
  "latency",
  "picker",
  "why",
];

function rowOf(explained: EndpointExplanation, nowMs: number): readonly string[] {
  const { endpoint, address, shareMeant, shareGot, inFlight, attempts, failures, failureRatio, latencyMs, picker } = explained;
  const { avoided, reason, warning, healthCheck } = explained;
  const check =
    healthCheck === undefined || healthCheck.passed
      ? ""
      : `; health check failed ${((nowMs - healthCheck.atMs) / 1_000).toFixed(1)} s ago: ${healthCheck.error ?? ""}`;
  return [
    cleanText(endpoint.id),
    cleanText(address),
    cleanText(endpoint.zone ?? "-"),
    String(endpoint.priority ?? 0),
    String(endpoint.weight ?? 1),
    percent(shareMeant),
    percent(shareGot),
    String(inFlight),
    String(attempts),
    failures === 0 ? "0" : `${failures} (${percent(failureRatio)})`,
    `${latencyMs.toFixed(1)} ms`,
    picker === undefined ? "-" : cleanText(figuresLine(picker)),
    cleanText(`${reason}${avoided === undefined ? "" : `; avoided: ${avoided}`}${check}${warning === undefined ? "" : `; ${warning}`}`),
  ];
}

function rowOutside({ endpoint, address, reason }: OutsideEndpoint): readonly string[] {
  const facts = [endpoint.zone ?? "-", String(endpoint.priority ?? 0), String(endpoint.weight ?? 1)];
  // Nothing is sent to it: it has no numbers.
  return [endpoint.id, address, ...facts, "-", "-", "-", "-", "-", "-", "-", reason].map(cleanText);
}

function percent(share: number | undefined): string {
  return share === undefined ? "-" : `${Number((100 * share).toFixed(1))} %`;
}
