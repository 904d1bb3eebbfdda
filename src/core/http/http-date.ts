const months: readonly string[] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const weekdays: readonly string[] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const month = `(?<month>${months.join("|")})`;
const weekday = `(?<weekday>${weekdays.join("|")})`;
const time = "(?<hour>[01]\\d|2[0-3]):(?<minute>[0-5]\\d):(?<second>[0-5]\\d|60)";

/** The three forms of RFC 9110 §5.6.7. They are case-sensitive, and each space is a single one. */
const forms: readonly RegExp[] = [
  // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(`^${weekday}, (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT$`),
  // rfc850-date: Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(`^(?<weekday>Sunday|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday), (?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT$`),
  // asctime-date: Sun Nov  6 08:49:37 1994
  new RegExp(`^${weekday} ${month} (?<day>\\d\\d| \\d) ${time} (?<year>\\d{4})$`),
];

/**
 * Parses an HTTP-date in any of the three forms that a recipient must accept (RFC 9110 §5.6.7), into milliseconds since the epoch. Returns
 * `undefined` for any other text, much of which `Date.parse` accepts, and for dates that do not exist: the 31st of February, a wrong
 * weekday. A year of two digits is taken to be at most fifty years after `wallNowMs`.
 */
export function parseHttpDate(text: string | undefined, wallNowMs: number): number | undefined {
  for (const form of forms) {
    const parts = text === undefined ? undefined : form.exec(text)?.groups;
    if (parts === undefined) continue;
    const day = dayOf(parts, wallNowMs);
    if (day === undefined) return undefined;
    const time = timeOf(parts);
    return time === undefined ? undefined : day + time;
  }
  return undefined;
}

type Parts = Readonly<Record<string, string>>;

/** Milliseconds since midnight; `undefined` for a time that no day has. */
function timeOf({ hour, minute, second }: Parts): number | undefined {
  // Leap seconds are added to the last minute of a day only.
  if (second === "60" && !(hour === "23" && minute === "59")) return undefined;
  return ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000;
}

/** Midnight of the day, in milliseconds since the epoch; `undefined` for a day that does not exist. */
function dayOf(parts: Parts, wallNowMs: number): number | undefined {
  const { weekday = "", day, month = "", year = "" } = parts;
  const midnightIn = (fullYear: number) => {
    // `Date.UTC` takes the year 50 for 1950.
    const date = new Date(0);
    date.setUTCFullYear(fullYear, months.indexOf(month), Number(day));
    return date;
  };
  let date = midnightIn(Number(year));
  if (year.length === 2) {
    // A date that "appears to be more than 50 years in the future" is one of "the most recent year in the past that had the same last two
    // digits".
    const horizon = new Date(wallNowMs);
    horizon.setUTCFullYear(horizon.getUTCFullYear() + 50);
    const last = horizon.getUTCFullYear();
    const fullYear = last - ((last - Number(year)) % 100);
    date = midnightIn(fullYear);
    if (date.getTime() + (timeOf(parts) ?? 0) > horizon.getTime()) date = midnightIn(fullYear - 100);
  }
  return date.getUTCDate() === Number(day) && weekdays[date.getUTCDay()] === weekday.slice(0, 3) ? date.getTime() : undefined;
}
