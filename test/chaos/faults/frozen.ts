import { atMost, attemptsAfterFirstFailure, failures, noneFailed, probesOf } from "../rig/claims.ts";
import type { Claim, Outcome } from "../rig/fault.ts";
import type { World } from "../rig/world.ts";

const attemptTimeoutMs = 2_000;

/** What holds of an instance that takes requests and never answers. */
export function frozen(outcome: Outcome, { faulty }: World, rps: number, instances: number): readonly Claim[] {
  const { healedAt = Number.POSITIVE_INFINITY } = outcome;
  const probes = probesOf(outcome, faulty).filter(({ startedAt }) => startedAt < healedAt);
  const overlapping = probes.filter((probe) =>
    probes.some(
      (other) =>
        other !== probe &&
        other.client === probe.client &&
        other.startedAt >= probe.startedAt &&
        other.startedAt < (probe.endedAt ?? Number.POSITIVE_INFINITY),
    ),
  );
  return [
    noneFailed(outcome, "GET"),
    atMost("POST failed", failures(outcome, "POST").length, Math.ceil((rps / instances) * (attemptTimeoutMs / 1_000)) + probes.length),
    atMost("attempts after the first timeout, probes apart", attemptsAfterFirstFailure(outcome, faulty), 5),
    atMost("probes at the same time", overlapping.length, 0),
  ];
}
