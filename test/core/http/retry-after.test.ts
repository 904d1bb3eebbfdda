import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRetryAfter } from "../../../src/core/http/retry-after.ts";

const now = Date.UTC(2026, 10, 22, 12, 0, 0);
const at = (seconds: number) => new Date(now + seconds * 1_000).toUTCString();

const [days, months] = ["Sunday Monday Tuesday Wednesday Thursday Friday Saturday", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"];
const dayName = (date: Date) => days.split(" ")[date.getUTCDay()] as string;
const monthName = (date: Date) => months.split(" ")[date.getUTCMonth()] as string;
const time = (date: Date) => date.toISOString().slice(-13, -5);
const imfFixdate = (date: Date) => date.toUTCString();
const rfc850 = (date: Date) =>
  `${dayName(date)}, ${date.toISOString().slice(-16, -14)}-${monthName(date)}-${String(date.getUTCFullYear()).slice(-2)} ${time(date)} GMT`;
const asctime = (date: Date) =>
  `${dayName(date).slice(0, 3)} ${monthName(date)} ${String(date.getUTCDate()).padStart(2)} ${time(date)} ${date.getUTCFullYear()}`;

describe("parseRetryAfter", () => {
  const rows: readonly (readonly [value: string | undefined, date: string | undefined, expected: number | undefined])[] = [
    [undefined, undefined, undefined],
    ["0", undefined, 0],
    ["1", undefined, 1_000],
    ["007", undefined, 7_000],
    ["60", undefined, 60_000],
    ["3600", undefined, 60_000],
    ["999999999999", undefined, 60_000],
    ["9".repeat(400), undefined, 60_000],
    [at(7), at(5), 2_000],
    [at(7), undefined, 7_000],
    [at(7), "garbage", 7_000],
    [at(-100), at(0), 0],
    [at(86_400), at(0), 60_000],
    // The obsolete forms, which a recipient has to accept (§5.6.7)
    ["Sunday, 22-Nov-26 12:00:07 GMT", undefined, 7_000],
    ["Sun Nov 22 12:00:07 2026", undefined, 7_000],
    ["Sunday, 22-Nov-26 12:00:07 GMT", "Sun Nov 22 12:00:05 2026", 2_000],
    ["Sun Nov 22 12:00:07 2026", at(5), 2_000],
    [at(7), "Sunday, 22-Nov-26 12:00:05 GMT", 2_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", undefined, 0],
    ["Sun Nov  6 08:49:37 1994", undefined, 0],
    // Not RFC 9110's grammar
    ["", undefined, undefined],
    ["-1", undefined, undefined],
    ["+1", undefined, undefined],
    ["1.5", undefined, undefined],
    ["1e1", undefined, undefined],
    ["0x1", undefined, undefined],
    [" 1", undefined, undefined],
    ["1, 2", undefined, undefined],
    ["١", undefined, undefined],
    ["Infinity", undefined, undefined],
    ["soon", undefined, undefined],
    ["2026-11-22T12:00:07Z", undefined, undefined],
    ["Sun, 22-Nov-26 12:00:07 GMT", undefined, undefined],
    ["Sunday, 22-Nov-2026 12:00:07 GMT", undefined, undefined],
    ["Sun Nov 22 12:00:07 2026 GMT", undefined, undefined],
    ["Sun Nov 22 12:00:07 26", undefined, undefined],
    ["Sun Nov 6 08:49:37 1994", undefined, undefined],
    ["Sun, 22 Nov 2026 12:00:07 UTC", undefined, undefined],
    ["Sun, 22 Nov 2026 12:00:07 +0000", undefined, undefined],
    ["sun, 22 nov 2026 12:00:07 gmt", undefined, undefined],
    ["Mon, 22 Nov 2026 12:00:07 GMT", undefined, undefined],
    ["Sun, 31 Feb 2026 12:00:07 GMT", undefined, undefined],
    ["Sun, 22 Nov 2026 24:00:00 GMT", undefined, undefined],
    ["Invalid Date", undefined, undefined],
  ];
  for (const [value, date, expected] of rows) {
    it(`takes ${JSON.stringify(value?.slice(0, 40))}${date === undefined ? "" : ` at ${date}`} for ${expected}`, () => {
      expect(parseRetryAfter(value, date, now)).toBe(expected);
    });
  }

  it("takes nothing but 1*DIGIT and an HTTP-date, and never more than a minute", () => {
    const [time, month] = ["\\d{2}:\\d{2}:\\d{2}", "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"];
    const grammar = new RegExp(
      [
        "^[0-9]+$",
        `^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \\d{2} ${month} \\d{4} ${time} GMT$`,
        `^(Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday), \\d{2}-${month}-\\d{2} ${time} GMT$`,
        `^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${month} (\\d{2}| \\d) ${time} \\d{4}$`,
      ].join("|"),
    );
    const near = fc
      .tuple(fc.integer({ min: -200_000, max: 200_000 }), fc.constantFrom(imfFixdate, rfc850, asctime))
      .map(([seconds, write]) => write(new Date(now + seconds * 1_000)));
    const bent = fc
      .tuple(near, fc.nat(28), fc.string({ minLength: 0, maxLength: 2 }))
      .map(([text, index, bit]) => text.slice(0, index) + bit + text.slice(index + 1));
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(..."0123456789 .,+-eExX:GMT") }),
      near,
      bent,
      fc.integer().map(String),
    );
    fc.assert(
      fc.property(value, fc.option(fc.oneof(near, fc.string()), { nil: undefined }), (text, date) => {
        const waitMs = parseRetryAfter(text, date, now);
        if (waitMs === undefined) return;
        expect(grammar.test(text), text).toBe(true);
        expect(waitMs >= 0 && waitMs <= 60_000).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes every date that a server can write, in each of the three forms", () => {
    const date = fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(date, fc.constantFrom(imfFixdate, asctime), (at, write) => {
        expect(parseRetryAfter(write(at), at.toUTCString(), now)).toBe(0);
      }),
    );
    // Of two digits only a hundred years can be meant.
    const near = fc.date({ min: new Date(Date.UTC(1976, 10, 23)), max: new Date(Date.UTC(2076, 10, 22)), noInvalidDate: true });
    fc.assert(
      fc.property(near, (at) => {
        expect(parseRetryAfter(rfc850(at), at.toUTCString(), now)).toBe(0);
      }),
    );
  });
});
