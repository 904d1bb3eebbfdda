import fc from "fast-check";
import { expect, it } from "vitest";
import { parseRetryAfter } from "../../src/policies/retry-after.ts";

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const daysIn = (month: number, year: number) =>
  month === 1 ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28) : [3, 5, 8, 10].includes(month) ? 30 : 31;

/** Days from 1970-01-01, counted one month after the other. */
function dayNumber(day: number, month: number, year: number): number {
  let count = day - 1;
  for (let each = 0; each < month; each++) count += daysIn(each, year);
  const before = year - 1;
  return count + 365 * year + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_527;
}

const isDigits = (text: string) => text.length > 0 && [...text].every((char) => "0123456789".includes(char));

/** `1*DIGIT`, or the milliseconds of an IMF-fixdate (RFC 9110 §5.6.7) that the calendar has, read place by place. */
function recognise(text: string): "seconds" | number | undefined {
  if (isDigits(text)) return "seconds";
  if (text.length !== 29 || text.slice(3, 5) !== ", " || text.slice(25) !== " GMT") return undefined;
  if ([text[7], text[11], text[16]].some((char) => char !== " ") || text[19] !== ":" || text[22] !== ":") return undefined;
  const parts = [text.slice(5, 7), text.slice(12, 16), text.slice(17, 19), text.slice(20, 22), text.slice(23, 25)];
  if (!parts.every(isDigits)) return undefined;
  const [day, year, hour, minute, second] = parts.map(Number) as [number, number, number, number, number];
  // The first century of our era is no time for a retry: Node takes such a year for one of the twentieth or after.
  if (year < 100) return undefined;
  const month = months.indexOf(text.slice(8, 11));
  if (month < 0 || day < 1 || day > daysIn(month, year) || hour > 23 || minute > 59 || second > 59) return undefined;
  const number = dayNumber(day, month, year);
  if (days[(((number + 4) % 7) + 7) % 7] !== text.slice(0, 3)) return undefined;
  return ((number * 24 + hour) * 60 + minute) * 60_000 + second * 1_000;
}

const two = (limit: number) => fc.nat(limit).map((number) => String(number).padStart(2, "0"));
const real = fc
  .date({ min: new Date("0100-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
  .map((date) => date.toUTCString());
/** By the grammar's letters alone: most are in no calendar. */
const written = fc
  .tuple(fc.constantFrom(...days), two(33), fc.constantFrom(...months), fc.integer({ min: 100, max: 9_999 }), two(25), two(61), two(61))
  .map(([name, day, month, year, ...time]) => `${name}, ${day} ${month} ${String(year).padStart(4, "0")} ${time.join(":")} GMT`);
const near = fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) }).map((at) => new Date(at).toUTCString());
const bent = fc
  .tuple(
    fc.oneof(real, near),
    fc.nat(29),
    fc.nat(1),
    fc.oneof(fc.string({ maxLength: 2 }), fc.constantFrom("0", "1", "9", " ", "-", "+", "Z")),
  )
  .map(([text, place, cut, bit]) => text.slice(0, place) + bit + text.slice(place + cut));
const value = fc.oneof(real, written, bent, near, fc.nat().map(String), fc.string({ unit: fc.constantFrom(..."0123456789 +-.e\u0661") }));
const longAgo = Number.MIN_SAFE_INTEGER;

it("a Retry-After is read exactly where it is 1*DIGIT or an IMF-fixdate that the calendar has", () => {
  fc.assert(
    fc.property(value, (text) => {
      const expected = recognise(text);
      const waitMs = parseRetryAfter(text, undefined, longAgo);
      if (expected === undefined) expect(waitMs).toBeUndefined();
      else if (expected === "seconds") expect(waitMs).toBe(Math.min(Number(text) * 1_000, 60_000));
      else {
        expect(waitMs).toBe(60_000);
        expect(parseRetryAfter(text, undefined, expected), "at its moment").toBe(0);
        expect(parseRetryAfter(text, undefined, expected - 1_234), "a little before").toBe(1_234);
      }
    }),
    { numRuns: 5_000 },
  );
});

it("a Date counts only where it is an IMF-fixdate, and never makes a wait longer than a minute or negative", () => {
  fc.assert(
    fc.property(near, value, fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) }), (text, date, wallNowMs) => {
      const at = recognise(text) as number;
      const said = recognise(date);
      const now = typeof said === "number" ? said : wallNowMs;
      expect(parseRetryAfter(text, date, wallNowMs)).toBe(Math.min(Math.max(at - now, 0), 60_000));
    }),
    { numRuns: 2_000 },
  );
});
