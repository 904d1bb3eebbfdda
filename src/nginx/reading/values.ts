import { quoted } from "../../core/text/clean-text.ts";
import { type Directive, faultOf, type Word } from "../grammar/directive.ts";

const timeUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  M: 2_592_000_000,
  y: 31_536_000_000,
};
/** A part of a time. Of the whole at once, an expression would take exponential time. */
const timePart = /(\d+)(ms|[yMwdhms]?)\s*/y;

/** The one word of a directive. */
export function onlyWord(directive: Directive): Word {
  const [word, more] = directive.args;
  if (word === undefined || more !== undefined) throw faultOf(directive, `it takes one value, not ${directive.args.length}`);
  return word;
}

/** A time such as `10`, `500ms` or `1m30s`, in milliseconds; a number without a unit is of seconds. */
export function timeOf(directive: Directive, word: Word = onlyWord(directive), text = word.text): number {
  const fault = () => faultOf(directive, `${quoted(text)} is no time such as 60s, 500ms or 1m30s`, word.place);
  if (text === "" || text.length > 64) throw fault();
  let ms = 0;
  for (let at = 0; at < text.length; at = timePart.lastIndex) {
    timePart.lastIndex = at;
    const [whole, digits, unit = ""] = timePart.exec(text) ?? [];
    if (whole === undefined) throw fault();
    ms += Number(digits) * (timeUnits[unit === "" ? "s" : unit] as number);
  }
  // Of a timer of nginx, too.
  if (ms > 2_147_483_647) throw fault();
  return ms;
}

/** A size such as `8k` or `1m`, in bytes. */
export function sizeOf(directive: Directive, word: Word = onlyWord(directive)): number {
  const [, digits, unit = ""] = /^(\d{1,12})([kKmMgG]?)$/.exec(word.text) ?? [];
  if (digits === undefined) throw faultOf(directive, `${quoted(word.text)} is no size such as 8k or 1m`, word.place);
  return Number(digits) * ({ k: 1_024, m: 1_048_576, g: 1_073_741_824 }[unit.toLowerCase()] ?? 1);
}

/** A whole number in a range. */
export function numberOf(directive: Directive, text: string, word: Word, [min, max]: readonly [number, number], name = text): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw faultOf(directive, `${name} must be a whole number from ${min} to ${max}`, word.place);
  return value;
}

/** `on` or `off`. */
export function flagOf(directive: Directive): boolean {
  const { text, place } = onlyWord(directive);
  const value = text.toLowerCase();
  if (value !== "on" && value !== "off") throw faultOf(directive, `it is "on" or "off", not ${quoted(text)}`, place);
  return value === "on";
}
