import type { CharacterClass, PatternItem } from "./pattern-items.ts";

/** For counts in a program: no limit, and no known end. */
const none = 0xffff;
const textMark = "t";
const textCode = 116;

/** The classes that programs name by their place. Each is one object, of which there are few: a pattern brings none of its own. */
const classes: CharacterClass[] = [];

/**
 * Compiles a sequence whose match has no choice: each step ends where its characters end, or at a known number of characters before the end of the text. The
 * result is a program of steps in one text, since a table of many patterns is as fast as the memory that a match has to look at: `t`, a length and a text; or
 * `c`, the class of characters, their least and largest number, and how many characters are behind them. `undefined` for a sequence that leaves a choice.
 */
export function onePassProgram(items: readonly PatternItem[]): string | undefined {
  let program = "";
  let text = "";
  const endText = (): void => {
    if (text !== "") program += textMark + String.fromCharCode(text.length) + text;
    text = "";
  };
  for (const [index, { literal, characters, least, most }] of items.entries()) {
    if (characters === undefined) return undefined;
    if (literal !== undefined && least === 1 && most === 1) {
      text += literal;
      continue;
    }
    const rest = items.slice(index + 1);
    const behind = least !== most && mayBegin(rest, characters) ? fixedLength(rest) : none;
    if (behind === undefined) return undefined;
    endText();
    program += `c${String.fromCharCode(placeOf(characters), least, Math.min(most, none), behind)}`;
  }
  endText();
  // Flat: built up, it would be a tree of its parts.
  return Buffer.from(program, "utf16le").toString("utf16le");
}

function placeOf(characters: CharacterClass): number {
  const at = classes.indexOf(characters);
  return at === -1 ? classes.push(characters) - 1 : at;
}

/** Whether a rest may begin with one of these characters. */
function mayBegin(rest: readonly PatternItem[], wanted: CharacterClass): boolean {
  for (const { characters, least, most } of rest) {
    if (characters === undefined || (most > 0 && characters.some((has, code) => has === 1 && wanted[code] === 1))) return true;
    if (least > 0) return false;
  }
  return false;
}

/** How many characters a rest has; `undefined` where that is not always the same. */
function fixedLength(rest: readonly PatternItem[]): number | undefined {
  let length = 0;
  for (const { characters, least, most } of rest) {
    if (characters === undefined || least !== most) return undefined;
    length += least;
  }
  return length;
}

/** Whether a program matches a text as a whole; `undefined` for a text with characters that it does not know. */
export function matchesInOnePass(program: string, text: string): boolean | undefined {
  let at = 0;
  for (let step = 0; step < program.length; ) {
    if (program.charCodeAt(step) === textCode) {
      const end = step + 2 + program.charCodeAt(step + 1);
      for (step += 2; step < end; step++, at++) if (text.charCodeAt(at) !== program.charCodeAt(step)) return mismatch(text);
      continue;
    }
    const characters = classes[program.charCodeAt(step + 1)] as CharacterClass;
    const most = program.charCodeAt(step + 3);
    const behind = program.charCodeAt(step + 4);
    const from = at;
    let end = behind === none ? text.length : text.length - behind;
    if (most !== none && from + most < end) end = from + most;
    while (at < end && characters[text.charCodeAt(at)] === 1) at++;
    if (at - from < program.charCodeAt(step + 2) || (behind !== none && at !== text.length - behind)) return mismatch(text);
    step += 5;
  }
  return at === text.length || mismatch(text);
}

/** A text with other characters is judged by code points. */
function mismatch(text: string): false | undefined {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return undefined;
  return false;
}
