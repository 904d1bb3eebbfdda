import { beginsPlain, doubleQuoted, isFlowMark, notPlain } from "./plain-scalars.ts";

/** Characters of a name: the package refuses one that is longer than 1,024. */
const maxName = 1_000;

/** A text of which parts are read one after the other. */
export class PlainText {
  readonly text: string;
  /** Where the next part begins. */
  at = 0;
  /** Where the line of it begins. */
  lineAt = 0;

  constructor(text: string) {
    this.text = text;
  }

  get code(): number {
    return this.text.charCodeAt(this.at);
  }

  get nextCode(): number {
    return this.text.charCodeAt(this.at + 1);
  }

  get column(): number {
    return this.at - this.lineAt;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** A dash that begins an element of a list. */
  get isDash(): boolean {
    return this.code === 45 && (this.nextCode === 32 || this.nextCode === 10 || Number.isNaN(this.nextCode));
  }

  skipSpaces(): void {
    while (this.code === 32) this.at++;
  }

  /** Whether nothing but a comment is left of the line. Spaces have been skipped. */
  isEndOfLine(): boolean {
    const { code } = this;
    if (code === 10 || Number.isNaN(code)) return true;
    return code === 35 && (this.at === this.lineAt || this.text.charCodeAt(this.at - 1) === 32);
  }

  /** Goes to the first part of a later line that has one. The rest of this line is a comment. */
  nextLine(): void {
    for (;;) {
      const end = this.text.indexOf("\n", this.at);
      if (end === -1) {
        this.at = this.text.length;
        this.lineAt = this.at;
        return;
      }
      this.at = end + 1;
      this.lineAt = this.at;
      this.skipSpaces();
      if (this.isEndOfLine()) continue;
      // The end of a document, or the begin of another one.
      if (this.at === this.lineAt && (this.text.startsWith("---", this.at) || this.text.startsWith("...", this.at))) throw notPlain;
      return;
    }
  }

  /** Reads text without quotes, on one line. It ends before a comment, and before a colon that makes a name of it. */
  plain(inFlow: boolean): string {
    const { text } = this;
    if (!beginsPlain(this.code, this.nextCode, inFlow)) throw notPlain;
    let end = this.at;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === 10 || (inFlow && isFlowMark(code))) break;
      if (code === 35 && text.charCodeAt(end - 1) === 32) break;
      if (code !== 58) continue;
      const next = text.charCodeAt(end + 1);
      if (next === 32 || next === 10 || Number.isNaN(next)) break;
      // Parsers disagree on it.
      if (inFlow && isFlowMark(next)) throw notPlain;
    }
    let last = end;
    while (text.charCodeAt(last - 1) === 32) last--;
    const read = text.slice(this.at, last);
    this.at = end;
    return read;
  }

  /** Reads text in quotes, on one line. */
  quoted(): string {
    const { text, code } = this;
    const from = this.at + 1;
    let end = from;
    for (; ; end++) {
      const each = text.charCodeAt(end);
      if (each === 10 || Number.isNaN(each)) throw notPlain;
      if (each === 92 && code === 34) end++;
      else if (each === code) {
        if (code === 34 || text.charCodeAt(end + 1) !== 39) break;
        end++;
      }
    }
    this.at = end + 1;
    const inner = text.slice(from, end);
    if (code === 34) return doubleQuoted(inner);
    return inner.includes("'") ? inner.replaceAll("''", "'") : inner;
  }

  /** Goes behind the colon of a name. `from`: where the name begins. */
  colon(from: number, mayTouch: boolean): void {
    this.skipSpaces();
    const { code, nextCode } = this;
    if (code !== 58 || this.at - from > maxName) throw notPlain;
    if (!(mayTouch || nextCode === 32 || nextCode === 10 || Number.isNaN(nextCode))) throw notPlain;
    this.at++;
  }
}
