import type { PolicyRule, RuleWindow } from "../policy.ts";
import { type Dimension, plainRequest, sampled } from "./dimension.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;
/** Beyond these, windows are the same every week. */
const weekMs = 7 * dayMs;

/** Times: of each stretch between the first and last moments that rules name, the beginnings of all parts of one week. */
export function timeDimension(rules: readonly PolicyRule[]): Dimension {
  const windows = rules.flatMap(({ when }) => (when === undefined ? [] : [when]));
  const moments = [
    ...new Set(
      windows
        .flatMap(({ after, before }) => [after, before])
        .filter((text) => text !== undefined)
        .map((text) => Date.parse(text)),
    ),
  ].sort((a, b) => a - b);
  const minutes = minutesOf(windows);
  const starts = [(moments[0] ?? plainRequest.atMs) - 2 * weekMs, ...moments];
  const samples = new Set<number>();
  for (const [index, start] of starts.entries()) {
    const end = Math.min(starts[index + 1] ?? Number.POSITIVE_INFINITY, start + weekMs + dayMs);
    samples.add(start);
    for (let day = Math.floor(start / dayMs) * dayMs; day < end; day += dayMs)
      for (const minute of minutes)
        if (day + minute * minuteMs >= start && day + minute * minuteMs < end) samples.add(day + minute * minuteMs);
  }
  return sampled(
    "time",
    ({ id, action, when }) => (when === undefined ? undefined : { id, action, when }),
    [...samples].map((atMs) => ({ label: new Date(atMs).toISOString(), part: { atMs } })),
  );
}

/** Minutes of the day at which a window begins or ends, with midnight. */
function minutesOf(windows: readonly RuleWindow[]): readonly number[] {
  const minutes = windows.flatMap(({ hours = "" }) => {
    const [h1 = 0, m1 = 0, h2 = 0, m2 = 0] = hours.split(/[:-]/).map(Number);
    return [(h1 * 60 + m1) % 1_440, (h2 * 60 + m2) % 1_440];
  });
  return [...new Set([0, ...minutes])];
}
