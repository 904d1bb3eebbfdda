import fc from "fast-check";
import { expect, it } from "vitest";
import { parseRetryAfter } from "../../src/core/http/retry-after.ts";

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

/** The moment of a day and a time that the calendar has, with the day's name. */
function momentOf(name: string | undefined, [day, year, hour, minute, second]: readonly number[], month: number): number | undefined {
  if (day === undefined || year === undefined || hour === undefined || minute === undefined || second === undefined) return undefined;
  if (month < 0 || day < 1 || day > daysIn(month, year) || hour > 23 || minute > 59) return undefined;
  // A day may end with a leap second.
  if (second > 59 && !(second === 60 && hour === 23 && minute === 59)) return undefined;
  const number = dayNumber(day, month, year);
  if (days[(((number + 4) % 7) + 7) % 7] !== name) return undefined;
  return ((number * 24 + hour) * 60 + minute) * 60_000 + second * 1_000;
}

/** Digits at places of a text and in this order; `undefined` when there is something else. */
function numbersAt(text: string, ...places: readonly (readonly [from: number, to: number])[]): number[] | undefined {
  const parts = places.map(([from, to]) => text.slice(from, to));
  return parts.every(isDigits) ? parts.map(Number) : undefined;
}

/** The characters at these places. */
const charsAt = (text: string, ...places: readonly number[]) => places.map((place) => text[place] ?? "?").join("");

function imfFixdate(text: string): number | undefined {
  if (text.length !== 29 || text.slice(25) !== " GMT" || charsAt(text, 3, 4, 7, 11, 16, 19, 22) !== ",    ::") return undefined;
  const numbers = numbersAt(text, [5, 7], [12, 16], [17, 19], [20, 22], [23, 25]);
  return numbers && momentOf(text.slice(0, 3), numbers, months.indexOf(text.slice(8, 11)));
}

function asctime(text: string): number | undefined {
  if (text.length !== 24 || charsAt(text, 3, 7, 10, 13, 16, 19) !== "   :: ") return undefined;
  const padded = text[8] === " " ? `${text.slice(0, 8)}0${text.slice(9)}` : text;
  const numbers = numbersAt(padded, [8, 10], [20, 24], [11, 13], [14, 16], [17, 19]);
  return numbers && momentOf(text.slice(0, 3), numbers, months.indexOf(text.slice(4, 7)));
}

const fullDays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** The latest year with these last two digits in which it is at most fifty years after `now`. */
function rfc850(text: string, now: Date): number | undefined {
  const comma = text.indexOf(",");
  const name = days[fullDays.indexOf(text.slice(0, comma))];
  const rest = text.slice(comma);
  if (rest.length !== 24 || rest.slice(20) !== " GMT" || charsAt(rest, 0, 1, 4, 8, 11, 14, 17) !== ", -- ::") return undefined;
  const numbers = numbersAt(rest, [2, 4], [9, 11], [12, 14], [15, 17], [18, 20]);
  if (numbers === undefined) return undefined;
  const [day = 0, digits = 0, ...time] = numbers;
  const month = months.indexOf(rest.slice(5, 8));
  const fifty = [
    now.getUTCFullYear() + 50,
    now.getUTCMonth(),
    now.getUTCDate(),
    now.getUTCHours(),
    now.getUTCMinutes(),
    now.getUTCSeconds(),
  ];
  const isTooLate = (year: number) => {
    const order = [year, month, day, ...time];
    const place = order.findIndex((part, index) => part !== fifty[index]);
    return place >= 0 && (order[place] as number) > (fifty[place] as number);
  };
  let year = 9_900 + digits;
  while (isTooLate(year)) year -= 100;
  return momentOf(name, [day, year, ...time], month);
}

/** `1*DIGIT`, or the milliseconds of an HTTP-date (RFC 9110 §5.6.7) that the calendar has, read place by place. */
function recognise(text: string, now: number): "seconds" | number | undefined {
  if (isDigits(text)) return "seconds";
  return imfFixdate(text) ?? asctime(text) ?? rfc850(text, new Date(now));
}

const two = (limit: number) => fc.nat(limit).map((number) => String(number).padStart(2, "0"));
const writers: readonly ((date: Date) => string)[] = [
  (date) => date.toUTCString(),
  (date) => {
    const [, day, month, year, time] = date.toUTCString().split(" ");
    return `${fullDays[date.getUTCDay()]}, ${day}-${month}-${year?.slice(-2)} ${time} GMT`;
  },
  (date) => {
    const [name, day, month, year, time] = date.toUTCString().split(" ");
    return `${name?.slice(0, 3)} ${month} ${day?.replace(/^0/, " ")} ${time} ${year}`;
  },
];
const dates = (min: string, max: string) =>
  fc
    .tuple(fc.date({ min: new Date(min), max: new Date(max), noInvalidDate: true }), fc.constantFrom(...writers))
    .map(([date, write]) => write(date));
const real = dates("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z");
const near = dates("2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z");
/** By the grammar's letters alone: most are in no calendar. */
const written = fc
  .tuple(fc.nat(6), two(33), fc.constantFrom(...months), fc.integer({ min: 0, max: 9_999 }), two(25), two(61), two(61), fc.nat(2))
  .map(([name, day, month, number, ...rest]) => {
    const [time, form, year] = [rest.slice(0, 3).join(":"), rest[3], String(number).padStart(4, "0")];
    if (form === 0) return `${days[name]}, ${day} ${month} ${year} ${time} GMT`;
    if (form === 1) return `${fullDays[name]}, ${day}-${month}-${year.slice(2)} ${time} GMT`;
    return `${days[name]} ${month} ${day.replace(/^0/, " ")} ${time} ${year}`;
  });
const bent = fc
  .tuple(
    fc.oneof(real, near),
    fc.nat(32),
    fc.nat(1),
    fc.oneof(fc.string({ maxLength: 2 }), fc.constantFrom("0", "1", "9", " ", "-", "+", "Z")),
  )
  .map(([text, place, cut, bit]) => text.slice(0, place) + bit + text.slice(place + cut));
const value = fc.oneof(real, written, bent, near, fc.nat().map(String), fc.string({ unit: fc.constantFrom(..."0123456789 +-.e\u0661") }));
const moment = fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(2120, 0) });
const longAgo = writers[0]?.(new Date(0));

it("a Retry-After is read exactly where it is 1*DIGIT or an HTTP-date that the calendar has", () => {
  fc.assert(
    fc.property(value, moment, (text, now) => {
      const expected = recognise(text, now);
      // Beside a Date of long ago, every date after it asks for the longest wait.
      const waitMs = parseRetryAfter(text, longAgo, now);
      if (expected === undefined) expect(waitMs).toBeUndefined();
      else if (expected === "seconds") expect(waitMs).toBe(Math.min(Number(text) * 1_000, 60_000));
      else {
        expect(waitMs).toBe(Math.min(Math.max(expected, 0), 60_000));
        const at = new Date(expected);
        // A few seconds before the year 0, or after 9999, cannot be written.
        if (at.getUTCFullYear() < 1 || at.getUTCFullYear() > 9_998) return;
        expect(parseRetryAfter(text, at.toUTCString(), now), "at its moment").toBe(0);
        expect(parseRetryAfter(text, new Date(expected - 12_000).toUTCString(), now), "a little before").toBe(12_000);
      }
    }),
    { numRuns: 5_000 },
  );
});

it("a Date counts only where it is an HTTP-date, and never makes a wait longer than a minute or negative", () => {
  fc.assert(
    fc.property(near, value, fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) }), (text, date, wallNowMs) => {
      const at = recognise(text, wallNowMs) as number;
      const said = recognise(date, wallNowMs);
      const now = typeof said === "number" ? said : wallNowMs;
      expect(parseRetryAfter(text, date, wallNowMs)).toBe(Math.min(Math.max(at - now, 0), 60_000));
    }),
    { numRuns: 2_000 },
  );
});
