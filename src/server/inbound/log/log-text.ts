/** Characters that a line of JSON or nginx's form cannot carry as they are. */
const special = /[^ !#-[\]-~]/;
const eachSpecial = /[^ !#-[\]-~]/g;

/** Whether text can be between quotes as it is. */
function isPlain(text: string): boolean {
  return !special.test(text);
}

/** Longest text of a request that a line carries. */
const maxLength = 2_048;

/** Text as JSON has it, with quotes. Every character but those of ASCII that can be seen is escaped, so that no terminal obeys one. */
export function jsonText(text: string): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  if (isPlain(cut)) return `"${cut}"`;
  return JSON.stringify(cut).replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Text as nginx escapes it in its logs: `"`, `\` and what cannot be seen as `\x22`; `-` for none. */
export function nginxText(text: string | undefined): string {
  if (text === undefined || text === "") return "-";
  const cut = text.length > maxLength ? text.slice(0, maxLength) : text;
  if (isPlain(cut)) return cut;
  return Buffer.from(cut, "utf8")
    .toString("latin1")
    .replace(eachSpecial, (unit) => `\\x${unit.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

/** A target without what its query says: with the names of the parameters, or without them. User and password of a URL are taken out too. */
export function redactedTarget(target: string, query: "names" | "none" | "values"): string {
  const start = target.startsWith("/") ? target : target.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1");
  if (query === "values") return start;
  const at = start.indexOf("?");
  if (at === -1) return start;
  if (query === "none") return start.slice(0, at);
  const names = start
    .slice(at + 1)
    .split("&")
    .map((pair) => {
      const equals = pair.indexOf("=");
      // A pair without a value may be a value without a name.
      return equals === -1 ? (pair === "" ? "" : "*") : `${pair.slice(0, equals)}=*`;
    });
  return `${start.slice(0, at)}?${names.join("&")}`;
}

let second = Number.NaN;
let prefix = "";

/** A time as `2026-01-31T12:00:00.123Z`. */
export function isoTime(wallMs: number): string {
  const whole = Math.floor(wallMs / 1_000);
  if (whole !== second) {
    second = whole;
    prefix = new Date(whole * 1_000).toISOString().slice(0, 20);
  }
  const ms = Math.floor(wallMs - whole * 1_000);
  return `${prefix}${ms < 10 ? "00" : ms < 100 ? "0" : ""}${ms}Z`;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A time as nginx has it, in UTC: `31/Jan/2026:12:00:00 +0000`. */
export function nginxTime(wallMs: number): string {
  const iso = isoTime(wallMs);
  return `${iso.slice(8, 10)}/${months[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
