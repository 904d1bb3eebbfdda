import { describe, expect, it } from "vitest";
import { parseHttpDate } from "../../../src/core/http/http-date.ts";

const now = Date.UTC(2026, 10, 22, 12, 0, 0);

describe("an HTTP-date", () => {
  it.each(["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun Nov 06 08:49:37 1994"])(
    "%j is the instant of RFC 9110's examples",
    (text) => {
      expect(parseHttpDate(text, now)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
    },
  );

  it.each<[string, string, number]>([
    ["2026-11-22T12:00:00Z", "Sunday, 22-Nov-26 11:00:00 GMT", Date.UTC(2026, 10, 22, 11)],
    // Fifty years ahead to the second, and one second more.
    ["2026-11-22T12:00:00Z", "Sunday, 22-Nov-76 12:00:00 GMT", Date.UTC(2076, 10, 22, 12)],
    ["2026-11-22T12:00:00Z", "Monday, 22-Nov-76 12:00:01 GMT", Date.UTC(1976, 10, 22, 12, 0, 1)],
    ["2026-11-22T12:00:00Z", "Tuesday, 22-Nov-77 12:00:00 GMT", Date.UTC(1977, 10, 22, 12)],
    ["2026-11-22T12:00:00Z", "Saturday, 01-Jan-00 00:00:00 GMT", Date.UTC(2000, 0, 1)],
    // From the end of a century into the next one.
    ["2099-12-31T23:59:59Z", "Friday, 01-Jan-00 00:00:05 GMT", Date.UTC(2100, 0, 1, 0, 0, 5)],
  ])("at %s takes %j for the century that is at most fifty years ahead", (at, text, expected) => {
    expect(parseHttpDate(text, Date.parse(at))).toBe(expected);
  });

  it("may be a leap second, at the end of a day", () => {
    const end = Date.UTC(2017, 0, 1);
    expect(parseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT", now)).toBe(end);
    expect(parseHttpDate("Sat Dec 31 23:59:60 2016", now)).toBe(end);
    expect(parseHttpDate("Sat, 31 Dec 2016 23:58:60 GMT", now)).toBeUndefined();
    expect(parseHttpDate("Sat, 31 Dec 2016 22:59:60 GMT", now)).toBeUndefined();
  });

  it("has a year as it is written, and not one of the last century", () => {
    expect(parseHttpDate("Sat, 01 Jan 0050 00:00:00 GMT", now)).toBe(Date.parse("0050-01-01T00:00:00Z"));
  });

  it.each([
    undefined,
    "",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Mon, 06 Nov 1994 08:49:37 GMT",
    "Monday, 06-Nov-94 08:49:37 GMT",
    "Mon Nov  6 08:49:37 1994",
    "Wed, 31 Feb 1996 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun Nov  0 08:49:37 1994",
    "Tueday, 22-Nov-77 12:00:00 GMT",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT\n",
  ])("is not %j", (text) => {
    expect(parseHttpDate(text, now)).toBeUndefined();
  });
});
