import { reasonsText } from "../core/left-out.ts";
import type { EncryptionReading } from "../core/observing/connection-reading.ts";
import type { IdentityReading } from "../core/observing/identity-reading.ts";
import type { RegistryReading } from "../core/observing/reading.ts";
import type { CanaryReading } from "../core/observing/routes/canary-reading.ts";
import { cleanText } from "../core/text/clean-text.ts";
import { figuresLine } from "../core/text/figures.ts";
import type { OutsideEndpoint } from "../discovery/boundary/boundary.ts";
import type { EndpointExplanation, ServiceExplanation, SubsetExplanation } from "./explanation.ts";

/** An explanation as text: lines about the service, then a line for each endpoint. */
export function explanationTable(explanation: Omit<ServiceExplanation, "toString">, nowMs: number): string {
  const { service, discovery, ageMs, discoveryError, registry, leftOut, breaker, endpoints, outside, subsets, canaries } = explanation;
  const age = ageMs === undefined ? "has not answered yet" : `answered ${(ageMs / 1_000).toFixed(1)} s ago`;
  const candidates = endpoints.filter(({ candidate }) => candidate).length;
  const head = [
    `${cleanText(service)}: ${candidates} of ${endpoints.length} endpoints are candidates, breaker of the service ${breaker}`,
    `registry ${registryText(registry)}: ${cleanText(discovery)} ${age}${discoveryError === undefined ? "" : `; now: ${cleanText(discoveryError)}`}`,
    ...(isSecured(explanation) ? [identityText(explanation, nowMs)] : []),
    ...subsets.map(subsetText),
    ...canaries.map(canaryText),
    ...(leftOut.length === 0 ? [] : [`left out: ${cleanText(reasonsText(leftOut))}`]),
  ];
  if (endpoints.length + outside.length === 0) return head.join("\n");
  const rows: (readonly string[])[] = [columns, ...endpoints.map((endpoint) => rowOf(endpoint, nowMs)), ...outside.map(rowOutside)];
  // A column that says "clear text" of each instance tells nothing to a fleet that has no TLS.
  if (isSecured(explanation)) {
    const cells = ["connection", ...endpoints.map(({ connection }) => encryptionText(connection, nowMs)), ...outside.map(() => "-")];
    for (const [index, row] of rows.entries()) rows[index] = row.toSpliced(-1, 0, cells[index] ?? "");
  }
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("  "),
  );
  return [...head, "", ...lines.map((line) => line.trimEnd())].join("\n");
}

/** A subset in a line: `subset version=2: 1 of 2 endpoints are candidates: orders-3`. */
function subsetText({ name, whenEmpty, endpoints, candidates }: SubsetExplanation): string {
  if (endpoints.length === 0) return cleanText(`subset ${name}: no endpoint, calls ${whenEmpty === "any" ? "go to any" : "fail"}`);
  const shown = candidates.slice(0, maxNamed).join(", ");
  const more = candidates.length > maxNamed ? ` and ${candidates.length - maxNamed} more` : "";
  return cleanText(`subset ${name}: ${candidates.length} of ${endpoints.length} endpoints are candidates: ${shown}${more}`);
}

/** A canary in a line: `canary of "checkout": v2 has 5 % (step 2 of 5), stepping: …`. */
function canaryText({ rule, canary, stable, share, step, steps, state, why, sharedBy, stateError }: CanaryReading): string {
  const of = (target: CanaryReading["canary"]) => `${target.target} ${target.failures} of ${target.calls} calls failed`;
  const decided = sharedBy === undefined ? "decided by this process alone" : `decided by ${sharedBy}`;
  const error = stateError === undefined ? "" : `, which does not answer: ${stateError}`;
  return cleanText(
    `canary of "${rule}": ${canary.target} has ${percent(share)} (step ${step} of ${steps.length}), ${state}: ${why}; ${of(canary)}, ${of(stable)}; ${decided}${error}`,
  );
}

/** Candidates of a subset that its line names. */
const maxNamed = 10;

/** Whether there is anything to tell of identities and TLS. */
function isSecured({ identity, peer, endpoints }: Pick<ServiceExplanation, "identity" | "peer" | "endpoints">): boolean {
  return identity !== undefined || peer.ids !== undefined || endpoints.some(({ connection }) => connection.encrypted);
}

function registryText({ state, failingMs = 0 }: RegistryReading): string {
  if (state === "failing") return `failing for ${(failingMs / 1_000).toFixed(1)} s`;
  return state === "doubted" ? "in doubt, since its last answer leaves endpoints out" : state === "ok" ? "OK" : "waited for";
}

const columns: readonly string[] = [
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

/**
 * The identity of this process and what is expected of instances, in a line: `identity spiffe://example.org/web by workload-api: ready, 54 min left; peers
 * strict: spiffe://example.org/orders`.
 */
export function identityText(
  { identity, peer, endpoints }: Pick<ServiceExplanation, "identity" | "peer" | "endpoints">,
  nowMs: number,
): string {
  // What discovery lists counts where the options say nothing.
  const listed = [...new Set(endpoints.flatMap(({ endpoint }) => endpoint.peer?.id ?? []))].slice(0, 3);
  const ids = peer.ids ?? (peer.mode === "off" ? [] : listed);
  const expected = ids.length === 0 ? "" : `: ${ids.join(" or ")}`;
  const own = identity === undefined ? "none" : ownText(identity, nowMs);
  return cleanText(`identity ${own}; peers ${peer.mode}${expected}`);
}

function ownText({ id, source, state, expiresAtMs, failure }: IdentityReading, nowMs: number): string {
  const left = expiresAtMs === undefined || state !== "ready" ? "" : `, ${timeText(expiresAtMs - nowMs)} left`;
  return `${id ?? "without a SPIFFE id"} by ${source}: ${state}${left}${failure === undefined ? "" : `; now: ${failure}`}`;
}

/** How an instance is spoken to: `clear text`, `TLS`, `TLSv1.3 h2 spiffe://example.org/orders, 23 h left`. */
export function encryptionText({ encrypted, newest }: EncryptionReading, nowMs: number): string {
  if (!encrypted) return "clear text";
  if (newest === undefined) return "TLS";
  const { tls, protocol, identity, expiresAtMs } = newest;
  return cleanText(`${tls} ${protocol} ${identity}, ${timeText(expiresAtMs - nowMs)} left`);
}

function timeText(ms: number): string {
  const minutes = Math.max(0, ms) / 60_000;
  if (minutes < 120) return `${Math.floor(minutes)} min`;
  return minutes < 72 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} d`;
}
