import type { Outcome } from "./fault.ts";
import { isFailed } from "./reconcile.ts";

const stepMs = 250;

/** What happened when, for whoever looks into a row that failed: requests and failures by quarter of a second, and what the clients noticed. */
export function timelineOf({ ledger, events, injectedAt, healedAt }: Outcome): string {
  const startedAt = Math.min(...ledger.map(({ sentAt }) => sentAt));
  const steps = new Map<number, { sent: number; failed: number; codes: Set<string> }>();
  for (const entry of ledger) {
    const step = Math.floor((entry.sentAt - startedAt) / stepMs);
    const at = steps.get(step) ?? { sent: 0, failed: 0, codes: new Set<string>() };
    steps.set(step, at);
    at.sent++;
    if (!isFailed(entry)) continue;
    at.failed++;
    at.codes.add(String(entry.error ?? entry.status));
  }
  const seconds = (at: number) => ((at - startedAt) / 1_000).toFixed(2).padStart(7);
  const lines = [
    { at: injectedAt, text: "INJECTED" },
    ...(healedAt === undefined ? [] : [{ at: healedAt, text: "HEALED" }]),
    ...events.map(({ at, client, kind, what }) => ({ at, text: `${client} ${kind}: ${what}` })),
    ...[...steps].map(([step, { sent, failed, codes }]) => ({
      at: startedAt + step * stepMs,
      text: `sent ${sent}, failed ${failed} ${[...codes].join(" ")}`,
    })),
  ];
  return lines
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }) => `  ${seconds(at)} ${text}`)
    .join("\n");
}
