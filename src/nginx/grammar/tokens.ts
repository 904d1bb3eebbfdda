import { quoted } from "../../core/text/clean-text.ts";
import type { Place } from "../../documents/document-error.ts";
import type { Word } from "./directive.ts";
import { NginxError } from "./nginx-error.ts";

/** A piece of a file: a word, or a sign that ends a directive or a block. */
export type Token = { readonly kind: "word"; readonly word: Word } | { readonly kind: ";" | "{" | "}" | "end"; readonly place: Place };

/** Characters of a word; nginx has the same limit, its buffer. */
const maxWordLength = 4_096;
const space = /[ \t\r\n]/;

/**
 * Cuts a text into words and signs as nginx does: quotes are quotes only where a word begins, `#` begins a comment only there, a backslash takes
 * the next character as it is, and the brace of `${name}` belongs to its word.
 */
export class Tokens {
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string, file: string) {
    this.#text = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    this.#file = file;
  }

  /** The place of the next character. */
  get place(): Place {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  /** @throws NginxError for a word that does not end, or has more behind its quotes. */
  next(): Token {
    this.#skip();
    const { place } = this;
    const character = this.#text[this.#at];
    if (character === undefined) return { kind: "end", place };
    if (character === ";" || character === "{" || character === "}") {
      this.#at++;
      return { kind: character, place };
    }
    const isQuoted = character === '"' || character === "'";
    const text = isQuoted ? this.#quoted(character, place) : this.#plain(place);
    return { kind: "word", word: { text, place, isQuoted } };
  }

  /** The text up to the brace that closes a block which is already open, in another language: braces in its quotes do not count. */
  foreignBlock(place: Place): string {
    const start = this.#at;
    let depth = 1;
    let quote: string | undefined;
    for (; this.#at < this.#text.length; this.#advance()) {
      const character = this.#text[this.#at] as string;
      if (character === "\\" && quote !== undefined) this.#advance();
      else if (quote !== undefined) quote = character === quote || character === "\n" ? undefined : quote;
      else if (character === '"' || character === "'") quote = character;
      else if (character === "{") depth++;
      else if (character === "}" && --depth === 0) return this.#text.slice(start, this.#at++);
    }
    throw this.#fault('the file ends within a block; "}" is missing', place);
  }

  #skip(): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) return;
      if (character === "#") {
        const end = this.#text.indexOf("\n", this.#at);
        this.#at = end === -1 ? this.#text.length : end;
      } else if (space.test(character)) this.#advance();
      else return;
    }
  }

  #advance(): void {
    if (this.#text[this.#at] === "\n") {
      this.#line++;
      this.#lineStart = this.#at + 1;
    }
    this.#at++;
  }

  #quoted(quote: string, place: Place): string {
    this.#at++;
    let text = "";
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#fault(`the text in ${quote} does not end`, place);
      if (character === quote) break;
      text += character === "\\" ? this.#escaped(place) : character;
      this.#advance();
      this.#checkLength(text, place);
    }
    this.#at++;
    const behind = this.#text[this.#at];
    if (behind !== undefined && !space.test(behind) && !";{)".includes(behind))
      throw this.#fault(`unexpected ${quoted(behind)} behind a quote`, this.place);
    return text;
  }

  #plain(place: Place): string {
    let text = "";
    let isVariable = false;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#fault('the file ends within a directive; ";" is missing', place);
      if (character === "{" && isVariable) {
        // `${name}`
      } else if (space.test(character) || character === ";" || character === "{") return text;
      isVariable = character === "$";
      text += character === "\\" ? this.#escaped(place) : character;
      this.#advance();
      this.#checkLength(text, place);
    }
  }

  /** Moves to the character behind the backslash. */
  #escaped(place: Place): string {
    this.#at++;
    const character = this.#text[this.#at];
    if (character === undefined) throw this.#fault("the file ends behind a backslash", place);
    if (character === "t") return "\t";
    if (character === "r") return "\r";
    if (character === "n") return "\n";
    return character === '"' || character === "'" || character === "\\" ? character : `\\${character}`;
  }

  #checkLength(text: string, place: Place): void {
    if (text.length > maxWordLength)
      throw this.#fault(`a word has more than ${maxWordLength} characters; is a quote or ";" missing?`, place);
  }

  #fault(problem: string, place: Place): NginxError {
    return new NginxError(this.#file, problem, place);
  }
}
