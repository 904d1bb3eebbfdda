import type { Claim, Outcome } from "./fault.ts";
import { isFailed, quantile } from "./reconcile.ts";
import type { AttemptTrace, LedgerEntry } from "./records.ts";
import type { World } from "./world.ts";

/** Times of rows are for a quiet machine: a busy one may take three times as long. Counts have no slack. */
export const slack = 3;

export function exactly(what: string, found: number | string, wanted: number | string): Claim {
  return { what: `${what}: ${found}, must be ${wanted}`, holds: found === wanted };
}

export function atMost(what: string, found: number, limit: number): Claim {
  return { what: `${what}: ${rounded(found)}, at most ${rounded(limit)}`, holds: found <= limit };
}

export function atLeast(what: string, found: number, limit: number): Claim {
  return { what: `${what}: ${rounded(found)}, at least ${rounded(limit)}`, holds: found >= limit };
}

/** A duration that may be three times as long on a busy machine; undefined: it never happened. */
export function within(what: string, foundMs: number | undefined, limitMs: number): Claim {
  if (foundMs === undefined) return { what: `${what}: never, within ${rounded(limitMs)} ms`, holds: false };
  const excessMs = foundMs - limitMs * slack;
  return { what: `${what}: ${rounded(foundMs)} ms, within ${rounded(limitMs)} ms (× ${slack})`, holds: excessMs <= 0, excessMs };
}

/** A time that was missed by no more than the client's own process stood still says nothing about the mesh. */
export function forgiven(claim: Claim, lagMs: number): Claim {
  if (claim.holds || claim.excessMs === undefined || claim.excessMs > lagMs) return claim;
  return { ...claim, what: `${claim.what}, but the client stood still for ${rounded(lagMs)} ms`, holds: true };
}

export function holds(what: string, isSo: boolean): Claim {
  return { what, holds: isSo };
}

/** What failed, of one method or of all. */
export function failures({ ledger }: Pick<Outcome, "ledger">, method?: string): readonly LedgerEntry[] {
  return ledger.filter((entry) => isFailed(entry) && (method === undefined || entry.method === method));
}

/** None of a method, or none at all, failed. */
export function noneFailed(outcome: Outcome, method?: string): Claim {
  const failed = failures(outcome, method);
  const codes = [...new Set(failed.map(({ error, status, message }) => `${error ?? status} ${message ?? ""}`))].slice(0, 3).join("; ");
  return {
    what: `${method ?? "requests"} failed: ${failed.length}, must be 0${codes === "" ? "" : ` (${codes})`}`,
    holds: failed.length === 0,
  };
}

/** Attempts of a method at these endpoints that were open at some time between two others. */
export function openBetween(
  { attempts }: Pick<Outcome, "attempts">,
  upstreams: readonly string[],
  method: string,
  from: number,
  to: number,
): readonly AttemptTrace[] {
  return attempts.filter(
    (each) =>
      upstreams.includes(each.upstream) &&
      each.method === method &&
      each.startedAt <= to &&
      (each.endedAt ?? Number.POSITIVE_INFINITY) >= from,
  );
}

/** Milliseconds from the end of the first failed attempt at these endpoints to the last one that began there and was no probe, by the slowest client. */
export function outAfterFirstFailure(outcome: Outcome, upstreams: readonly string[]): number {
  return outAfterFirst(outcome, upstreams, hasFailed);
}

/**
 * The same from the end of the first refused connection, which alone is proof that an endpoint is gone. A connection that breaks is one failure of
 * the five in a row that are; the picker avoids the endpoint after it, and may find it gone seconds later.
 */
export function outAfterFirstRefusal(outcome: Outcome, upstreams: readonly string[]): number {
  return outAfterFirst(outcome, upstreams, (attempt) => hasFailed(attempt) && attempt.phase === "connect");
}

/**
 * The most attempts, probes apart, that one client began at these endpoints after the end of its first failed one there. Five failures in a row take
 * an instance out of rotation; a picker that avoids it may take a while to send so many.
 */
export function attemptsAfterFirstFailure(outcome: Outcome, upstreams: readonly string[]): number {
  return Math.max(0, ...afterFirst(outcome, upstreams, hasFailed).map(({ later }) => later.length));
}

function outAfterFirst(outcome: Outcome, upstreams: readonly string[], isProof: (attempt: AttemptTrace) => boolean): number {
  const found = afterFirst(outcome, upstreams, isProof);
  return Math.max(0, ...found.flatMap(({ first, later }) => later.map(({ startedAt }) => startedAt - first)));
}

function hasFailed({ isFailed: failed }: AttemptTrace): boolean {
  return failed === true;
}

/** For each client the end of the first proof at these endpoints during the fault, and the attempts, probes apart, that it began there later. */
function afterFirst(
  { attempts, injectedAt, healedAt = Number.POSITIVE_INFINITY }: Outcome,
  upstreams: readonly string[],
  isProof: (attempt: AttemptTrace) => boolean,
): readonly { readonly first: number; readonly later: readonly AttemptTrace[] }[] {
  return [...new Set(attempts.map((each) => each.client))].map((client) => {
    const there = attempts.filter(
      (each) =>
        each.client === client && upstreams.includes(each.upstream) && each.startedAt < healedAt && (each.endedAt ?? 0) >= injectedAt,
    );
    const first = Math.min(...there.filter(isProof).map(({ endedAt }) => endedAt ?? Number.POSITIVE_INFINITY));
    return { first, later: there.filter(({ isProbe, startedAt }) => !isProbe && startedAt > first) };
  });
}

/** Growth of the heap over the load, of one client in the mean. */
export function heapGrown({ before, after }: Outcome, { clients }: World, mostMb: number): Claim {
  return atMost("heap grown, in MiB", (after.heapMb - before.heapMb) / clients.length, mostMb);
}

/**
 * Milliseconds from the healing until the last client had the last of these endpoints in rotation again; 0 where it was never out,
 * undefined where one never came back. Whether the picker then chooses it is the picker's affair.
 */
export function inRotationAgain({ events, attempts, healedAt = 0 }: Outcome, upstreams: readonly string[]): number | undefined {
  let worst = 0;
  for (const client of new Set(attempts.map((each) => each.client))) {
    for (const upstream of upstreams) {
      const own = events.filter((each) => each.client === client && each.kind === "instance-state" && each.what.startsWith(`${upstream} `));
      if (!(own.at(-1)?.what ?? "available").endsWith("available")) return undefined;
      // The last time that it came in; what happened before the healing is no matter.
      worst = Math.max(worst, (own.at(-1)?.at ?? 0) - healedAt);
    }
  }
  return worst;
}

/** Probes of these endpoints: attempts while they were out of rotation. */
export function probesOf({ attempts, injectedAt }: Outcome, upstreams: readonly string[]): readonly AttemptTrace[] {
  return attempts.filter(({ upstream, isProbe, startedAt }) => isProbe && upstreams.includes(upstream) && startedAt >= injectedAt);
}

/** The duration below which a share of some calls stayed, failed ones included. */
export function latency(entries: readonly LedgerEntry[], share: number): number {
  return quantile(
    entries.map(({ sentAt, settledAt = Number.POSITIVE_INFINITY }) => settledAt - sentAt).sort((a, b) => a - b),
    share,
  );
}

/** How often endpoints of a service went out of rotation. */
export function ejections({ events }: Pick<Outcome, "events">): number {
  return events.filter(({ kind, what }) => kind === "instance-state" && / (ejected|unhealthy)$/.test(what)).length;
}

/** When the last of the clients first knew an endpoint, in milliseconds from the healing (or the injection); undefined: one never did. */
export function firstKnown({ events, attempts, healedAt, injectedAt }: Outcome, endpoint: string): number | undefined {
  const clients = [...new Set(attempts.map(({ client }) => client))];
  const times = clients.map(
    (client) => events.find((each) => each.client === client && each.kind === "endpoints" && each.what.split(",").includes(endpoint))?.at,
  );
  if (times.length === 0 || times.includes(undefined)) return undefined;
  return Math.max(...(times as number[])) - (healedAt ?? injectedAt);
}

function rounded(number: number): number {
  return Math.round(number * 100) / 100;
}
