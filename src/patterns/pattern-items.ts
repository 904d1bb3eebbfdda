/** Characters that an item of a pattern may stand for, of those below 128: 1 for each that it does. */
export type CharacterClass = Uint8Array;

/** A part of a pattern, as often as it may be there. */
export interface PatternItem {
  /** One character that is meant as it is; `undefined` for several, and for what is not read here. */
  readonly literal: string | undefined;
  /** `undefined` for a group with alternatives or a count of its own: only the package reads those. */
  readonly characters: CharacterClass | undefined;
  readonly least: number;
  readonly most: number;
}

const unknownItem: PatternItem = { literal: undefined, characters: undefined, least: 1, most: 1 };
/** Beyond it, the package may say that a count is too large. */
const maxCount = 100;
const special = new Set("\\.+*?()|[]{}^$");
const letters = /[0-9A-Za-z]/;
const known: Readonly<Record<string, RegExp>> = { d: /[0-9]/, w: /\w/, s: /[\t\n\f\r ]/, D: /[^0-9]/, W: /\W/, S: /[^\t\n\f\r ]/ };

const classes = new Map<string, CharacterClass>();

/** One object for each set of characters: patterns by the thousand have the same few. */
function classOf(key: string, has: (character: string) => boolean): CharacterClass {
  let made = classes.get(key);
  if (made === undefined) {
    made = Uint8Array.from({ length: 128 }, (_, code) => (has(String.fromCharCode(code)) ? 1 : 0));
    if (classes.size < 1_000) classes.set(key, made);
  }
  return made;
}

/** Reads a pattern in the syntax of RE2 as a sequence; `undefined` for one that is none, or that is wrong. */
export class PatternReader {
  readonly #source: string;
  #at = 0;
  #groups = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** How many groups have a number, when all has been read. */
  get groups(): number {
    return this.#groups;
  }

  read(): readonly PatternItem[] | undefined {
    // Others have characters of two units, or of several cases.
    if (!/^[ -~]*$/.test(this.#source)) return undefined;
    if (this.#source.startsWith("^")) this.#at++;
    const items = this.#sequence(0);
    return this.#at === this.#source.length ? items : undefined;
  }

  /** Up to the end, or the bracket that closes a group. */
  #sequence(depth: number): PatternItem[] | undefined {
    const items: PatternItem[] = [];
    while (this.#at < this.#source.length) {
      const next = this.#source.charAt(this.#at);
      if (next === ")" && depth > 0) return items;
      if (next === "|" && depth > 0) {
        // One of several: nothing is known of the group, and the others are read for where it ends.
        this.#at++;
        return this.#sequence(depth) === undefined ? undefined : [unknownItem];
      }
      if (next === "$" && depth === 0 && this.#at === this.#source.length - 1) {
        this.#at++;
        return items;
      }
      if (next === "(") {
        const inner = this.#group(depth);
        if (inner === undefined) return undefined;
        items.push(...inner);
        continue;
      }
      const one = this.#one();
      if (one === undefined) return undefined;
      const count = this.#count();
      if (count === undefined) return undefined;
      items.push({ ...one, ...count });
    }
    return items;
  }

  /** A group that is there once is as its parts; another one is a part that nothing is known of. */
  #group(depth: number): readonly PatternItem[] | undefined {
    const [opening] = /^\((?:\?:|\?P?<[A-Za-z]\w{0,30}>)?/.exec(this.#source.slice(this.#at)) ?? [""];
    if (depth > 8) return undefined;
    this.#at += opening.length;
    if (opening !== "(?:") this.#groups++;
    const inner = this.#sequence(depth + 1);
    if (inner === undefined || this.#source.charAt(this.#at) !== ")") return undefined;
    this.#at++;
    const count = this.#count();
    if (count === undefined) return undefined;
    return count.least === 1 && count.most === 1 ? inner : [{ ...unknownItem, ...count }];
  }

  #one(): Pick<PatternItem, "literal" | "characters"> | undefined {
    const next = this.#source.charAt(this.#at++);
    if (next === ".") return { literal: undefined, characters: classOf(".", (each) => each !== "\n") };
    if (next === "[") return this.#brackets();
    if (next === "\\") return this.#escaped();
    return special.has(next) ? undefined : literalItem(next);
  }

  #escaped(): Pick<PatternItem, "literal" | "characters"> | undefined {
    const next = this.#source.charAt(this.#at++);
    const named = Object.hasOwn(known, next) ? known[next] : undefined;
    if (named !== undefined) return { literal: undefined, characters: classOf(`\\${next}`, (each) => named.test(each)) };
    return next === "" || letters.test(next) ? undefined : literalItem(next);
  }

  #brackets(): Pick<PatternItem, "literal" | "characters"> | undefined {
    const [whole, not, inner] =
      /^(\^?)((?:[^\\[\]^-]|[^\\[\]^-]-[^\\[\]^-]|\\[dwsDWS]|\\[^0-9A-Za-z])+-?)\]/.exec(this.#source.slice(this.#at)) ?? [];
    if (whole === undefined || inner === undefined) return undefined;
    this.#at += whole.length;
    const backwards = [...inner.matchAll(/([^\\])-([^\\])/g)].some(([, from = "", to = ""]) => from > to);
    if (backwards) return undefined;
    // A vertical tab is a space elsewhere, and none in RE2.
    if (inner.includes("\\S")) return undefined;
    const inside = new RegExp(`[${inner.replaceAll("\\s", "\\t\\n\\f\\r ")}]`);
    return { literal: undefined, characters: classOf(whole, (each) => inside.test(each) !== (not === "^")) };
  }

  /** `undefined` for what follows no item, and for a count of a count. */
  #count(): Pick<PatternItem, "least" | "most"> | undefined {
    const [whole = "", sign = "", from, comma, to] = /^(?:([*+?])|\{(\d{1,3})(,?)(\d{0,3})\})\??/.exec(this.#source.slice(this.#at)) ?? [];
    if (whole === "") return this.#source.charAt(this.#at) === "{" ? undefined : { least: 1, most: 1 };
    this.#at += whole.length;
    if (/[*+?{]/.test(this.#source.charAt(this.#at))) return undefined;
    if (from === undefined) return { least: sign === "+" ? 1 : 0, most: sign === "?" ? 1 : Number.POSITIVE_INFINITY };
    const least = Number(from);
    const most = comma === "" ? least : to === "" ? Number.POSITIVE_INFINITY : Number(to);
    return (comma === "" && to !== "") || least > most || Math.max(least, most === Number.POSITIVE_INFINITY ? 0 : most) > maxCount
      ? undefined
      : { least, most };
  }
}

function literalItem(literal: string): Pick<PatternItem, "literal" | "characters"> {
  return { literal, characters: classOf(`=${literal}`, (each) => each === literal) };
}
