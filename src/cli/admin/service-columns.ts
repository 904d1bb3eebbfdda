import { failedText, figuresText, whyText } from "../../admin/health/figures.ts";
import { type Health, healthOf } from "../../admin/health/health.ts";
import { stripOf } from "../../admin/health/strip.ts";
import type { EndpointRow, MeshSnapshot, ServiceRow } from "../../admin/snapshot.ts";
import { figure } from "../../core/text/figures.ts";
import { plain } from "../terminal/plain.ts";
import type { Column } from "../terminal/table.ts";
import type { Style, Terminal } from "../terminal/terminal.ts";

/** The colour of each health. */
export const healthColours: Readonly<Record<Health, Style>> = { failing: "red", degraded: "yellow", ok: "green", idle: "dim" };

/** `1 failing · 2 degraded · 47 OK · registry OK`, in its colours: the first line of each overview. Empty for a process that neither calls nor serves anything. */
export function stripLine(snapshot: Pick<MeshSnapshot, "services" | "registry">, terminal: Pick<Terminal, "style">): string {
  return stripOf(snapshot)
    .map(({ health, text }) => terminal.style(healthColours[health], plain(text)))
    .join(" · ");
}

/** The columns of `inmesh stat` and `inmesh top`. */
export function serviceColumns(terminal: Pick<Terminal, "style">): readonly Column<ServiceRow>[] {
  return [
    { title: "SERVICE", cell: ({ service }) => service },
    {
      title: "ENDPOINTS",
      align: "right",
      // A process of an earlier version does not tell how many are avoided.
      cell: ({ endpoints, avoided }) => {
        const { available, ejected, probing, unhealthy } = endpoints;
        return `${available}/${available + ejected + probing + unhealthy}${avoided > 0 ? `, ${avoided} avoided` : ""}`;
      },
      paint: (text, { endpoints, avoided, panicking }) =>
        panicking || endpoints.available === 0
          ? terminal.style("red", text)
          : endpoints.ejected + endpoints.probing + endpoints.unhealthy > 0 || avoided > 0
            ? terminal.style("yellow", text)
            : text,
    },
    {
      title: "SUCCESS",
      align: "right",
      cell: ({ success }) => percent(success.effective),
      paint: (text, { success }) => judged(terminal, text, success.effective),
    },
    {
      title: "ACTUAL",
      align: "right",
      spare: 3,
      cell: ({ success }) => percent(success.actual),
      paint: (text, { success }) => judged(terminal, text, success.actual),
    },
    { title: "RPS", align: "right", spare: 1, cell: ({ rps }) => rps.toFixed(1) },
    { title: "P50", align: "right", spare: 6, cell: ({ latencyMs }) => duration(latencyMs?.p50) },
    { title: "P95", align: "right", spare: 4, cell: ({ latencyMs }) => duration(latencyMs?.p95) },
    { title: "P99", align: "right", spare: 2, cell: ({ latencyMs }) => duration(latencyMs?.p99) },
    { title: "RETRIES/S", align: "right", isWide: true, cell: ({ retriesPerS }) => retriesPerS.toFixed(1) },
    { title: "HEDGES/S", align: "right", isWide: true, cell: ({ hedgesPerS }) => hedgesPerS.toFixed(1) },
    { title: "IN FLIGHT", align: "right", isWide: true, cell: ({ inFlight }) => String(inFlight) },
    {
      title: "DISCOVERY",
      align: "right",
      isWide: true,
      cell: ({ discoveryAgeMs }) => (discoveryAgeMs === null ? "never" : `${(discoveryAgeMs / 1_000).toFixed(1)}s ago`),
    },
    { title: "TLS", isWide: true, cell: ({ secured }) => secured },
    { title: "BUDGET", align: "right", spare: 5, cell: ({ retryBudget }) => retryBudget.toFixed(0) },
    {
      title: "BREAKER",
      cell: ({ breaker }) => breaker,
      paint: (text, { breaker }) => (breaker === "closed" ? text : terminal.style(breaker === "open" ? "red" : "yellow", text)),
    },
  ];
}

/** The columns of `inmesh stat SERVICE`. */
export function endpointRowColumns(terminal: Pick<Terminal, "style">): readonly Column<EndpointRow>[] {
  return [
    { title: "ID", cell: ({ id }) => id },
    { title: "ADDRESS", spare: 1, cell: ({ address }) => address },
    {
      title: "STATE",
      cell: ({ state, avoided }) => (avoided == null ? state : `${state}, avoided`),
      paint: (text, { state, avoided }) => {
        if (state !== "available") return terminal.style("red", text);
        return avoided == null ? text : terminal.style("yellow", text);
      },
    },
    { title: "MEANT", align: "right", spare: 3, cell: ({ shareMeant }) => percent(shareMeant) },
    { title: "GOT", align: "right", spare: 2, cell: ({ shareGot }) => percent(shareGot) },
    {
      title: "SUCCESS",
      align: "right",
      cell: ({ success }) => percent(success),
      paint: (text, { success }) => judged(terminal, text, success),
    },
    { title: "RPS", align: "right", spare: 7, cell: ({ rps }) => rps.toFixed(1) },
    { title: "ATTEMPTS", align: "right", spare: 8, cell: ({ attempts }) => String(attempts) },
    { title: "FAILED", align: "right", spare: 6, cell: failedText },
    { title: "LATENCY", align: "right", spare: 5, cell: ({ latencyMs }) => duration(latencyMs) },
    { title: "IN FLIGHT", align: "right", spare: 9, cell: ({ inFlight }) => String(inFlight) },
    { title: "COST", align: "right", spare: 4, cell: ({ picker }) => costText(picker) },
    // A process of an earlier version does not tell it.
    { title: "CONNECTION", isWide: true, cell: ({ connection, secure }) => connection ?? (secure ? "TLS" : "clear text") },
    { title: "ZONE", isWide: true, cell: ({ zone }) => zone ?? "-" },
    { title: "WEIGHT", align: "right", isWide: true, cell: ({ weight }) => String(weight) },
    { title: "PICKER", isWide: true, cell: ({ picker }) => figuresText(picker) || "-" },
    { title: "WHY", cell: whyText },
  ];
}

/** A process of an earlier version tells no figures of its picker, and no shares. */
function costText(picker: EndpointRow["picker"] | undefined): string {
  const cost = picker?.["cost"];
  return typeof cost === "number" ? figure(cost) : "-";
}

function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "-" : `${(100 * share).toFixed(2)}%`;
}

function duration(ms: number | undefined): string {
  return ms === undefined ? "-" : `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)}ms`;
}

function judged(terminal: Pick<Terminal, "style">, text: string, share: number | null): string {
  const health = healthOf(share);
  const style = health === "failing" || health === "degraded" ? healthColours[health] : undefined;
  return style === undefined ? text : terminal.style(style, text);
}
