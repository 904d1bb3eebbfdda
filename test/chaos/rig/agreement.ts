import { total } from "../../telemetry/prometheus/parse.ts";
import { atLeast, atMost, exactly, holds } from "./claims.ts";
import type { Claim, Outcome } from "./fault.ts";
import type { AttemptTrace, JournalEntry } from "./records.ts";

const calls = "inmesh_client_call_duration_seconds_count";
const attempts = "http_client_request_duration_seconds_count";

/** What the clients' metrics count is what the ledger and the journals hold, to the last call and attempt. Of rows without hedges. */
export function agreement(outcome: Outcome): readonly Claim[] {
  const { figures, journal, metrics, ledger } = outcome;
  const counted = counter(metrics);
  const reached = journal.filter(({ event }) => event !== "end");
  const retries = counted("inmesh_client_retries_total");
  const retried = counted(attempts) - counted("inmesh_client_attempts_count");
  return [
    holds(`clients with metrics: ${metrics.length}, must be some`, metrics.length > 0),
    exactly("calls counted", counted(calls), ledger.length),
    exactly("calls counted as success", counted(calls, { inmesh_outcome: "success" }), figures.ok),
    exactly(
      "calls counted as failures",
      counted(calls, { inmesh_outcome: "error" }) + counted(calls, { inmesh_outcome: "rejected" }),
      figures.failed,
    ),
    exactly("calls counted as given up", counted(calls, { inmesh_outcome: "cancelled" }), figures.aborted),
    exactly("attempts counted", counted(attempts), reached.length + notReached(outcome.attempts, reached).length),
    exactly("attempts counted by call", counted("inmesh_client_attempts_sum"), counted(attempts)),
    exactly("attempts counted by zone", counted("inmesh_client_picks_total"), counted(attempts)),
    atLeast("retries counted", retries, retried),
    // A call may end in the pause before one, or find nobody left after it.
    atMost("retries counted beyond those sent", retries - retried, figures.failed + figures.aborted),
  ];
}

/** Where every attempt that reached an instance was answered by it: how, and what reached none. */
export function agreementOfAnswers(outcome: Outcome): readonly Claim[] {
  const { journal } = outcome;
  const counted = counter(outcome.metrics);
  const reached = journal.filter(({ event }) => event !== "end");
  const ended = journal.length - reached.length;
  return [
    exactly("attempts counted as 200", counted(attempts, { http_response_status_code: "200" }), ended),
    exactly("attempts counted as 503", counted(attempts, { http_response_status_code: "503" }), reached.length - ended),
    exactly(
      "attempts counted as not connected",
      counted(attempts, { error_type: "ERR_MESH_CONNECT" }),
      notReached(outcome.attempts, reached).length,
    ),
  ];
}

function counter(metrics: readonly string[]): (name: string, labels?: Readonly<Record<string, string>>) => number {
  return (name, labels) => metrics.reduce((sum, text) => sum + total(text, name, labels), 0);
}

/** The attempts of a call beyond those that instances know of. By call: a registry may know an instance by another name than its journal. */
function notReached(all: readonly AttemptTrace[], reached: readonly JournalEntry[]): readonly AttemptTrace[] {
  const known = new Map<string, number>();
  for (const { id } of reached) known.set(id, (known.get(id) ?? 0) + 1);
  return all.filter(({ id }) => {
    const left = known.get(id) ?? 0;
    known.set(id, left - 1);
    return left <= 0;
  });
}
