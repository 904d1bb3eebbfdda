import type { Outcome, ParityCase, Row } from "./parity-case.ts";

/** Compares the outcomes of both sides of a case. */
export function rowOf(parityCase: ParityCase, theirs: readonly Outcome[], ours: readonly Outcome[]): Row {
  const { name, about, difference } = parityCase;
  const found = differenceOf(parityCase, theirs, ours);
  if (found === undefined && difference === undefined) return { name, about, verdict: "equal", note: "" };
  if (found === undefined) return { name, about, verdict: "different", note: "equal, although a difference is explained" };
  return difference === undefined
    ? { name, about, verdict: "different", note: found }
    : { name, about, verdict: "explained", note: difference };
}

function differenceOf({ compare, instances }: ParityCase, theirs: readonly Outcome[], ours: readonly Outcome[]): string | undefined {
  if (compare === "shares" || compare === "counts") {
    const [one, other] = [countsOf(theirs, instances.length), countsOf(ours, instances.length)];
    const isNear =
      compare === "counts"
        ? one.every((count, index) => Math.abs(count - (other[index] ?? 0)) <= 1)
        : one.every((count, index) => isLikely(count, other[index] ?? 0, theirs.length));
    return isNear ? statusDifference(theirs, ours) : `${one.join(" ")} to the instances, and ${other.join(" ")}`;
  }
  if (compare === "statuses") {
    const [one, other] = [theirs, ours].map((outcomes) =>
      outcomes
        .map(({ status }) => status)
        .toSorted()
        .join(" "),
    );
    return one === other ? undefined : `statuses ${one}, and ${other}`;
  }
  for (const [index, outcome] of theirs.entries()) {
    const [one, other] = [shownOf(outcome, compare), shownOf(ours[index], compare)];
    if (one !== other) return `request ${index + 1}: ${one}, and ${other}`;
  }
  return undefined;
}

function statusDifference(theirs: readonly Outcome[], ours: readonly Outcome[]): string | undefined {
  const of = (outcomes: readonly Outcome[]): string => [...new Set(outcomes.map(({ status }) => status))].toSorted().join(" ");
  return of(theirs) === of(ours) ? undefined : `statuses ${of(theirs)}, and ${of(ours)}`;
}

function countsOf(outcomes: readonly Outcome[], instances: number): readonly number[] {
  const counts = new Array<number>(instances).fill(0);
  for (const { attempts } of outcomes) for (const instance of attempts) counts[instance] = (counts[instance] ?? 0) + 1;
  return counts;
}

/** Whether two counts of `all` may be of one share: within four and a half standard deviations of their difference. */
function isLikely(one: number, other: number, all: number): boolean {
  const share = (one + other) / (2 * all);
  return Math.abs(one - other) <= 4.5 * Math.sqrt(2 * all * share * (1 - share)) + 1;
}

/** An outcome as it is compared, which messages show too. */
function shownOf(outcome: Outcome | undefined, compare: ParityCase["compare"]): string {
  if (outcome === undefined) return "none";
  const { status, attempts, seen, response, copies } = outcome;
  if (compare === "attempts") return JSON.stringify({ status, attempts: attempts.length });
  return JSON.stringify({
    status,
    ...(compare === "instance" ? { attempts } : { attempts: attempts.length }),
    seen,
    response,
    ...(copies.length > 0 ? { copies } : {}),
  });
}
