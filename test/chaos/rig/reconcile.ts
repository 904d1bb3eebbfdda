import type { AttemptTrace, JournalEntry, LedgerEntry } from "./records.ts";

/** What a run left behind. */
export interface Evidence {
  readonly ledger: readonly LedgerEntry[];
  readonly journal: readonly JournalEntry[];
  readonly attempts: readonly AttemptTrace[];
  readonly injectedAt: number;
  /** When the fault was over; absent where it stayed. */
  readonly healedAt?: number | undefined;
  /** When the last request was sent. */
  readonly endedAt: number;
  /** Ids of the endpoints that the fault hits. */
  readonly faulty: readonly string[];
}

/** What becomes of a ledger that is compared with the journals. Durations are in milliseconds. */
export interface Figures {
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  readonly aborted: number;
  /** Nobody ever told what became of them. */
  readonly lost: number;
  /** Ids of non-idempotent requests that were begun more than once. */
  readonly duplicated: number;
  /** The same of idempotent ones: allowed. */
  readonly reexecuted: number;
  /** Failed with an error that says it may have been executed. */
  readonly ambiguous: number;
  /** Failed with an error that says it was not executed, though a journal says it was. */
  readonly falsesafe: number;
  /** Failed with an error that says it may have been executed, though no journal knows of it: allowed. */
  readonly falseunsafe: number;
  /** Answered, though no instance ended it. */
  readonly phantom: number;
  /** Answered with the response of another request. */
  readonly mismatched: number;
  /** Answered with a body that is not whole. */
  readonly truncated: number;
  /** What the servers saw, by request. */
  readonly attemptsPerRequest: number;
  /** Attempts that the client's observer calls answered and that no server saw: its count is wrong then. */
  readonly unseen: number;
  /** What the servers saw beyond what the client's observer did: requests that something below it sent again. */
  readonly transparent: number;
  /** The last attempt at a faulty endpoint that was no probe, counted from the injection; until it was healed. */
  readonly outOfRotationMs: number | undefined;
  /** The first good attempt at a faulty endpoint that was no probe, counted from the healing. */
  readonly backMs: number | undefined;
  /** From injection or healing, the worse, to the first second in which nothing failed (99.9 %); Infinity: never. */
  readonly worstRecoveryMs: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const windowMs = 1_000;
const goodShare = 0.999;
const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"]);

/** Compares what the clients were told with what the instances did. */
export function reconcile(evidence: Evidence): Figures {
  const { ledger, journal, attempts } = evidence;
  const begun = new Map<string, JournalEntry[]>();
  const ended = new Set<string>();
  let seen = 0;
  for (const entry of journal) {
    if (entry.event === "end") ended.add(entry.id);
    else seen++;
    if (entry.event !== "begin") continue;
    const known = begun.get(entry.id);
    if (known === undefined) begun.set(entry.id, [entry]);
    else known.push(entry);
  }
  const repeated = [...begun.values()].filter((entries) => entries.length > 1);
  const settled = ledger.filter((entry) => entry.settledAt !== undefined);
  const ok = settled.filter(isOk);
  const failed = settled.filter(isFailed);
  const times = ok.map((entry) => (entry.settledAt as number) - entry.sentAt).sort((a, b) => a - b);
  return {
    sent: ledger.length,
    ok: ok.length,
    failed: failed.length,
    aborted: settled.filter((entry) => entry.isAborted === true).length,
    lost: ledger.length - settled.length,
    duplicated: repeated.filter((entries) => !idempotent.has(entries[0]?.method ?? "")).length,
    reexecuted: repeated.filter((entries) => idempotent.has(entries[0]?.method ?? "")).length,
    ambiguous: failed.filter((entry) => entry.maybeExecuted === true).length,
    falsesafe: failed.filter((entry) => entry.maybeExecuted === false && begun.has(entry.id)).length,
    falseunsafe: failed.filter((entry) => entry.maybeExecuted === true && !begun.has(entry.id)).length,
    phantom: ok.filter((entry) => !ended.has(entry.id)).length,
    mismatched: settled.filter((entry) => entry.echoed !== undefined && entry.echoed !== entry.id).length,
    truncated: ok.filter((entry) => entry.isWhole === false).length,
    attemptsPerRequest: ledger.length === 0 ? 0 : seen / ledger.length,
    unseen: unseen(attempts, journal),
    transparent: Math.max(0, seen - attempts.length),
    outOfRotationMs: outOfRotationMs(evidence),
    backMs: backMs(evidence),
    worstRecoveryMs: Math.max(
      recoveryMs(ledger, evidence.injectedAt, evidence.endedAt),
      evidence.healedAt === undefined ? 0 : recoveryMs(ledger, evidence.healedAt, evidence.endedAt),
    ),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    max: times.at(-1) ?? 0,
  };
}

/** Answered with a status that is no failure. */
export function isOk(entry: LedgerEntry): boolean {
  return entry.status !== undefined && entry.status < 500 && entry.error === undefined;
}

/** Settled, neither well nor by its caller. */
export function isFailed(entry: LedgerEntry): boolean {
  return entry.settledAt !== undefined && !isOk(entry) && entry.isAborted !== true;
}

/** Milliseconds from `from` to the start of the first second in which 99.9 % of the requests went well; Infinity without one. */
export function recoveryMs(ledger: readonly LedgerEntry[], from: number, endedAt: number): number {
  const after = ledger
    .filter((entry) => entry.sentAt >= from && entry.isAborted !== true)
    .map((entry) => ({ at: entry.sentAt, bad: isOk(entry) ? 0 : 1 }))
    .sort((a, b) => a.at - b.at);
  // A window can only begin to be good where the last bad request is behind it.
  const starts = [from, ...after.filter(({ bad }) => bad === 1).map(({ at }) => at + 0.001)];
  for (const start of starts) {
    if (start + windowMs > endedAt) return Number.POSITIVE_INFINITY;
    const inside = after.filter(({ at }) => at >= start && at < start + windowMs);
    const bad = inside.reduce((sum, each) => sum + each.bad, 0);
    if (inside.length > 0 && bad <= inside.length * (1 - goodShare)) return start - from;
  }
  return Number.POSITIVE_INFINITY;
}

/** The value below which a share of the sorted numbers lies; 0 of none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function unseen(attempts: readonly AttemptTrace[], journal: readonly JournalEntry[]): number {
  const left = new Map<string, number>();
  for (const { id, event } of journal) if (event !== "end") left.set(id, (left.get(id) ?? 0) + 1);
  let count = 0;
  for (const { id, status } of attempts) {
    if (status === undefined) continue;
    const known = left.get(id) ?? 0;
    if (known === 0) count++;
    else left.set(id, known - 1);
  }
  return count;
}

function outOfRotationMs({ attempts, faulty, injectedAt, healedAt = Number.POSITIVE_INFINITY }: Evidence): number | undefined {
  const hit = attempts.filter(
    ({ upstream, isProbe, startedAt }) => faulty.includes(upstream) && !isProbe && startedAt >= injectedAt && startedAt < healedAt,
  );
  if (faulty.length === 0) return undefined;
  return hit.reduce((last, { startedAt }) => Math.max(last, startedAt - injectedAt), 0);
}

function backMs({ attempts, faulty, healedAt }: Evidence): number | undefined {
  if (healedAt === undefined) return undefined;
  const good = attempts.filter(
    ({ upstream, isProbe, isFailed: failed, startedAt, endedAt }) =>
      faulty.includes(upstream) && !isProbe && failed === false && endedAt !== undefined && startedAt >= healedAt,
  );
  if (good.length === 0) return undefined;
  return Math.min(...good.map(({ startedAt }) => startedAt - healedAt));
}
