import { jsonText, nginxText } from "./log-text.ts";
import type { UpstreamCall } from "./upstream-calls.ts";

/** Longest name of a service that a line carries, and the most attempts of one call. */
const maxName = 256;
const maxAttempts = 8;

/** Calls as a field of a line of JSON, with the comma before it; empty for none. */
export function upstreamJson(calls: readonly UpstreamCall[], more: number): string {
  if (calls.length === 0) return "";
  const all = calls.map((call) => {
    const { request, routed, status, error, outcome } = call;
    const { address } = request.attempts.at(-1) ?? {};
    let text = `{"service":${jsonText(request.service.slice(0, maxName))}`;
    if (routed !== undefined) text += `,"route":${jsonText(routed.rule)}`;
    if (routed?.target !== undefined) text += `,"target":${jsonText(routed.target)}`;
    if (address !== undefined) text += `,"instance":${jsonText(address)}`;
    if (status !== undefined) text += `,"status":${status}`;
    if (error !== undefined) text += `,"error":${jsonText(error)}`;
    if (outcome !== "ended") text += `,"${outcome}":true`;
    return `${text},"attempts":${request.attempts.length},"ms":${Math.round(call.ms * 1_000) / 1_000}}`;
  });
  return `,"upstreams":[${all.join(",")}]${more === 0 ? "" : `,"moreUpstreams":${more}`}`;
}

/**
 * Calls as nginx's `"$upstream_addr" "$upstream_status" "$upstream_response_time"`: attempts of one call are separated by `, `, calls by ` : `, and seconds
 * have three decimals. `"-" "-" "-"` for none.
 */
export function upstreamNginx(calls: readonly UpstreamCall[]): string {
  const addresses: string[] = [];
  const statuses: string[] = [];
  const times: string[] = [];
  for (const { request, status, ms, bodyMs } of calls) {
    const attempts = request.attempts.slice(-maxAttempts);
    // A call that found no instance, or whose attempt is under way.
    if (attempts.length === 0) {
      addresses.push(nginxText(request.service.slice(0, maxName)));
      statuses.push(`${status ?? "-"}`);
      times.push(nginxSeconds(ms));
      continue;
    }
    addresses.push(attempts.map(({ address }) => nginxText(address)).join(", "));
    statuses.push(attempts.map((attempt) => attempt.status ?? "-").join(", "));
    times.push(attempts.map((attempt, index) => nginxSeconds(attempt.ms + (index === attempts.length - 1 ? bodyMs : 0))).join(", "));
  }
  return [addresses, statuses, times].map((each) => `"${each.length === 0 ? "-" : each.join(" : ")}"`).join(" ");
}

/** A duration as nginx has it: seconds with three decimals. */
export function nginxSeconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}
