import type { Day, RuleWindow } from "../policy.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;

/** The days of the week, as `Date` counts them. */
export const days: readonly Day[] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** A part of time, ready to be asked. */
export interface TimeWindow {
  readonly fromMs: number;
  readonly untilMs: number;
  /** A flag for each day; `undefined` for all. */
  readonly days: readonly boolean[] | undefined;
  /** Minutes of the day; `undefined` for all. */
  readonly hours: { readonly from: number; readonly until: number } | undefined;
}

/** @throws Error for a part that is no time, and for a window that never holds. */
export function timeWindow({ after, before, days: given, hours }: RuleWindow): TimeWindow {
  const fromMs = after === undefined ? Number.NEGATIVE_INFINITY : momentOf("after", after);
  const untilMs = before === undefined ? Number.POSITIVE_INFINITY : momentOf("before", before);
  if (fromMs >= untilMs) throw new Error("the window never holds: before is not later than after");
  return {
    fromMs,
    untilMs,
    days: given && days.map((day) => given.includes(day)),
    hours: hours === undefined ? undefined : hoursOf(hours),
  };
}

/** Whether a moment is inside. Hours that go over midnight belong to the day on which they are asked for. */
export function isWithin({ fromMs, untilMs, days: flags, hours }: TimeWindow, nowMs: number): boolean {
  // Not a comparison that a moment that is no number would pass.
  if (!(nowMs >= fromMs && nowMs < untilMs)) return false;
  if (flags !== undefined && flags[(((Math.floor(nowMs / dayMs) + 4) % 7) + 7) % 7] !== true) return false;
  if (hours === undefined) return true;
  const minute = Math.floor((((nowMs % dayMs) + dayMs) % dayMs) / minuteMs);
  return hours.from < hours.until ? minute >= hours.from && minute < hours.until : minute >= hours.from || minute < hours.until;
}

function momentOf(name: string, text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new Error(`${name} must be a moment such as 2027-01-31T08:00:00Z, not "${text}"`);
  return ms;
}

function hoursOf(text: string): { from: number; until: number } {
  const parts = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text)?.slice(1).map(Number);
  const [h1 = 99, m1 = 0, h2 = 99, m2 = 0] = parts ?? [];
  const [from, until] = [h1 * 60 + m1, h2 * 60 + m2];
  if (m1 > 59 || m2 > 59 || from >= 1_440 || until > 1_440 || from === until)
    throw new Error(`hours must be two times of a day such as 08:00-18:00, not "${text}"`);
  return { from, until };
}
