/** Thrown where a text has more than plain YAML: the package reads it then. */
export const notPlain: unique symbol = Symbol("more than plain YAML");

const notText = new Map<string, boolean | null>([
  ["~", null],
  ...["null", "Null", "NULL"].map((text) => [text, null] as const),
  ...["true", "True", "TRUE"].map((text) => [text, true] as const),
  ...["false", "False", "FALSE"].map((text) => [text, false] as const),
]);
const integer = /^[-+]?[0-9]+$/;
const decimal = /^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+)$/;
/** Octal, hexadecimal, infinite and not a number: seldom meant. */
const otherNumber = /^(?:0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** The value of a text without quotes, as the core schema of YAML 1.2 (§10.3) has it. */
export function scalarOf(text: string): unknown {
  const first = text.charCodeAt(0);
  // Digits, and what a number may begin with.
  if ((first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46) {
    if (integer.test(text)) return Number.parseInt(text, 10);
    if (decimal.test(text)) return Number.parseFloat(text);
    if (otherNumber.test(text)) throw notPlain;
    return text;
  }
  if (text.length > 5) return text;
  const value = notText.get(text);
  return value === undefined ? text : value;
}

/** Escapes that JSON has, too, and that stand for one character. */
const otherEscape = /\\[^"\\/bfnrt]/;

/** The text between double quotes. */
export function doubleQuoted(inner: string): string {
  if (!inner.includes("\\")) return inner;
  if (otherEscape.test(inner.replaceAll("\\\\", ""))) throw notPlain;
  return JSON.parse(`"${inner}"`) as string;
}

/** Whether text without quotes may begin with this character. `next`: the one behind it. */
export function beginsPlain(code: number, next: number, inFlow: boolean): boolean {
  switch (code) {
    // `-`, `?` and `:`, of which each is a mark before a space.
    case 45:
    case 63:
    case 58:
      return !(Number.isNaN(next) || next === 32 || next === 10 || (inFlow && isFlowMark(next)));
    // One of !"#%&'*>@`| begins something else.
    case 33:
    case 34:
    case 35:
    case 37:
    case 38:
    case 39:
    case 42:
    case 62:
    case 64:
    case 96:
    case 124:
      return false;
    default:
      return !isFlowMark(code);
  }
}

/** One of `,` `[` `]` `{` `}`. */
export function isFlowMark(code: number): boolean {
  return code === 44 || code === 91 || code === 93 || code === 123 || code === 125;
}
