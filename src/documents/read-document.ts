import type { Document, Node, ParsedNode, YAMLMap } from "yaml";
import type { Place } from "./document-error.ts";
import { withoutText } from "./yaml-fault.ts";
import { loadYaml } from "./yaml-package.cjs";

/** The names and indexes that lead to a part of a text. */
export type PartPath = readonly (string | number)[];

/** Finds where a part of a text stands: of a key where `isKey`, else of its value. */
export type FindPlace = (path: PartPath, isKey?: boolean) => Place | undefined;

/** A text that has been read. */
export interface ReadText {
  readonly value: unknown;
  readonly placeOf: FindPlace;
}

/** The kind of a text, for its errors. */
export interface DocumentKind {
  /** The class of the errors. */
  readonly Fault: new (
    source: string,
    problem: string,
    place?: Place,
  ) => Error;
  /** As in "the policy has too many characters". */
  readonly name: string;
  /** Continues "it is empty; …". */
  readonly whenEmpty: string;
}

/** Characters of a document: some thousands of rules. */
export const maxDocumentLength = 1_048_576;
/** The package goes down a level of its own stack for each. */
const maxDepth = 64;
/** Ten for each of the rules that a policy may have. */
const maxPieces = 100_000;

/**
 * The text of a document that may be parsed: not too long, not empty, neither too deep nor of too many parts.
 * @throws an error of the class of the kind, saying why.
 */
export function contentOf(text: string, source: string, { Fault, name, whenEmpty }: DocumentKind): string {
  if (text.length > maxDocumentLength)
    throw new Fault(source, `the ${name} has ${text.length} characters; ${maxDocumentLength} are allowed`);
  const content = text.replace(/^\uFEFF/, "");
  if (!/\S/.test(content)) throw new Fault(source, `it is empty; ${whenEmpty}`, { line: 1, column: 1 });
  if (deepest(content) > maxDepth) throw new Fault(source, `it is nested deeper than ${maxDepth}`);
  if (piecesOf(content) > maxPieces) throw new Fault(source, `it has more than ${maxPieces} lines and commas`);
  return content;
}

/**
 * Reads JSON or YAML, of which JSON is a part. A key that is there twice, an unknown tag and a second document are errors: another reader would take another
 * one of the two.
 * @throws an error of the class of the kind, with the place of the fault.
 */
export function readDocument(text: string, source: string, kind: DocumentKind): ReadText {
  const { Fault } = kind;
  const content = contentOf(text, source, kind);
  const { LineCounter, parseDocument, isMap, isScalar, isSeq } = loadYaml();
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false, stringKeys: true, merge: false, uniqueKeys: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) throw new Fault(source, withoutText(fault.message), placeAt(fault.pos[0]));
  refuseDuplicates(document.contents);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new Fault(source, withoutText((error as Error).message));
  }
  const placeOf: FindPlace = (path, isKey = false) => {
    const node = isKey ? keyNode(document, path) : nodeAt(document, path);
    return node?.range ? placeAt(node.range[0]) : undefined;
  };
  return { value, placeOf };

  // The package compares each key with all others of its map.
  function refuseDuplicates(node: unknown): void {
    if (isSeq(node)) for (const item of node.items) refuseDuplicates(item);
    if (!isMap(node)) return;
    const names = new Set<unknown>();
    for (const { key, value: inner } of node.items) {
      const found = isScalar(key) ? key.value : undefined;
      if (names.has(found)) throw new Fault(source, "Map keys must be unique", placeAt((key as Node | null)?.range?.[0] ?? 0));
      names.add(found);
      refuseDuplicates(inner);
    }
  }

  function keyNode(from: Document.Parsed<ParsedNode>, path: PartPath): Node | undefined {
    const parent = nodeAt(from, path.slice(0, -1));
    const wanted = path.at(-1);
    const items = isMap(parent) ? (parent as YAMLMap).items : [];
    return items.find(({ key }) => isScalar(key) && key.value === wanted)?.key as Node | undefined;
  }
}

/** The part itself, else the nearest around it: what is missing stands nowhere. */
function nodeAt(document: Document.Parsed<ParsedNode>, path: PartPath): Node | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (node !== undefined && node !== null) return node as Node;
  }
  return document.contents ?? undefined;
}

/** Lines and commas: at least as many as there are values. Comments, tags, anchors and empty values cost the package as much as others. */
function piecesOf(text: string): number {
  let pieces = text.match(/(?<=[\s[{,:-])[!&*]/g)?.length ?? 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || code === 0x0d || code === 0x2c) pieces++;
  }
  return pieces;
}

/** How deep brackets, dashes, marks of keys and indents may nest values: at least as deep as they do. */
function deepest(text: string): number {
  let depth = 0;
  let most = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) most = Math.max(most, ++depth);
    else if ((code === 0x5d || code === 0x7d) && depth > 0) depth--;
  }
  for (const [line] of text.matchAll(/^[ ?:-]+/gm)) most = Math.max(most, (line.match(/[?:-]/g) ?? []).length, line.length / 2);
  return most;
}
