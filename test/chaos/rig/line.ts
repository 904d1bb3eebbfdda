import type { Result } from "./run-fault.ts";

/** The line of one row, and below it what it broke. */
export function lineOf(result: Result, { seed, node }: { readonly seed: number; readonly node: string }): string {
  const { fault, status, figures, outcome, seconds, rps, reason, broken } = result;
  const head = `CHAOS ${fault.id} ${fault.name}`;
  if (status === "unavailable") return `${head} UNAVAILABLE ${reason}`;
  if (figures === undefined || outcome === undefined) return `${head} node=${node} seed=${seed} FAIL ${reason}`;
  const words = {
    node,
    seed,
    secs: seconds,
    rps,
    sent: figures.sent,
    ok: figures.ok,
    failed: figures.failed,
    ...(figures.aborted > 0 ? { aborted: figures.aborted } : {}),
    ambiguous: figures.ambiguous,
    lost: figures.lost,
    duplicated: figures.duplicated,
    reexecuted: figures.reexecuted,
    falsesafe: figures.falsesafe,
    falseunsafe: figures.falseunsafe,
    phantom: figures.phantom,
    mismatched: figures.mismatched,
    truncated: figures.truncated,
    attempts_per_req: figures.attemptsPerRequest.toFixed(3),
    transparent: figures.transparent,
    out_of_rotation_ms: whole(figures.outOfRotationMs),
    back_ms: whole(figures.backMs),
    worst_recovery_ms: whole(figures.worstRecoveryMs),
    p50: figures.p50.toFixed(1),
    p99: figures.p99.toFixed(1),
    max: figures.max.toFixed(0),
    lag: outcome.lagMs.toFixed(0),
    heap_mb: signed(outcome.after.heapMb - outcome.before.heapMb, 1),
    fds: signed(outcome.after.fds - outcome.before.fds, 0),
  };
  const text = Object.entries(words)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
  const below = broken.map(({ what }) => `\n  ${fault.id}: ${what}`).join("");
  return `${head} ${text} ${status === "pass" ? "PASS" : "FAIL"}${below}`;
}

/** The line of all rows together, and the counts. */
export function totals(results: readonly Result[], notYet: number): string {
  const run = results.filter((result) => result.figures !== undefined);
  const sum = (key: "sent" | "lost" | "duplicated" | "falsesafe") => run.reduce((total, { figures }) => total + (figures?.[key] ?? 0), 0);
  // A row whose fault stays has nothing to recover to.
  const recovered = run.filter(({ figures }) => Number.isFinite(figures?.worstRecoveryMs));
  const worst = recovered.reduce<Result | undefined>(
    (found, result) => ((result.figures?.worstRecoveryMs ?? 0) > (found?.figures?.worstRecoveryMs ?? -1) ? result : found),
    undefined,
  );
  const count = (status: Result["status"]) => results.filter((result) => result.status === status).length;
  const unavailable = count("unavailable");
  return [
    `CHAOS TOTAL faults=${run.length} sent=${sum("sent")} lost=${sum("lost")} duplicated=${sum("duplicated")} falsesafe=${sum("falsesafe")}` +
      ` worst_recovery_ms=${whole(worst?.figures?.worstRecoveryMs)}${worst === undefined ? "" : ` (${worst.fault.id})`}`,
    `${count("pass")} passed, ${count("fail")} failed${unavailable > 0 ? `, ${unavailable} unavailable` : ""}${notYet > 0 ? `, ${notYet} not yet` : ""}`,
  ].join("\n");
}

function whole(number: number | undefined): string {
  if (number === undefined) return "-";
  return Number.isFinite(number) ? String(Math.round(number)) : "never";
}

function signed(number: number, digits: number): string {
  return `${number < 0 ? "" : "+"}${number.toFixed(digits)}`;
}
