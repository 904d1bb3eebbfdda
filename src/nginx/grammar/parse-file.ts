import type { Place } from "../../documents/document-error.ts";
import type { Directive, Word } from "./directive.ts";
import { NginxError } from "./nginx-error.ts";
import { Tokens } from "./tokens.ts";

/** Blocks within blocks. */
const maxDepth = 32;
/** Directives of all files together. */
export const maxDirectives = 500_000;

/** A block that is open while a file is parsed. */
interface OpenBlock {
  readonly name: string;
  readonly directives: Directive[];
  readonly place: Place;
}

/**
 * The directives of one file, in their order, without opening those that it includes.
 * @param budget counts down the directives of all files
 * @throws NginxError with the place of the fault.
 */
export function parseFile(text: string, file: string, budget = { left: maxDirectives }): readonly Directive[] {
  const tokens = new Tokens(text, file);
  const top: Directive[] = [];
  const open: OpenBlock[] = [];
  let words: Word[] = [];
  const fault = (problem: string, place: Place) => new NginxError(file, problem, place);
  const add = (block: Directive[] | undefined): void => {
    const [first, ...args] = words;
    if (first === undefined) return;
    if (budget.left-- <= 0) throw fault(`there are more than ${maxDirectives} directives`, first.place);
    (open.at(-1)?.directives ?? top).push({ name: first.text, args, block, file, place: first.place });
    words = [];
  };
  for (;;) {
    const token = tokens.next();
    if (token.kind === "word") {
      words.push(token.word);
      continue;
    }
    const [first] = words;
    if (token.kind === "end") {
      if (first !== undefined) throw fault(`${first.text}: the file ends within the directive; ";" is missing`, first.place);
      const last = open.at(-1);
      if (last !== undefined) throw fault(`${last.name}: the file ends within the block; "}" is missing`, last.place);
      return top;
    }
    if (token.kind === "}") {
      if (first !== undefined) throw fault(`${first.text}: unexpected "}"; is ";" missing?`, token.place);
      if (open.pop() === undefined) throw fault('unexpected "}": no block is open', token.place);
      continue;
    }
    if (first === undefined) throw fault(`unexpected "${token.kind}": no directive stands in front of it`, token.place);
    if (token.kind === ";") {
      add(undefined);
      continue;
    }
    const directives: Directive[] = [];
    const isForeign = first.text.endsWith("_by_lua_block");
    if (isForeign) tokens.foreignBlock(first.place);
    add(directives);
    if (isForeign) continue;
    if (open.length >= maxDepth) throw fault(`${first.text}: blocks are nested deeper than ${maxDepth}`, first.place);
    open.push({ name: first.text, directives, place: first.place });
  }
}
