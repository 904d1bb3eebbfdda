import { type Finding, findingAt, masked, type Paragraph } from "./paragraphs.ts";

const pronoun = /(?<![\w-])(?:who|whoever|whom|(?:no|some|any|every)body|(?:some|any|every)one|no one)(?![\w-])/gi;

/** Pronouns of people. A service, an instance, a caller or a reader of a body is a thing, and has a name. */
export function pronounsOf(paragraph: Paragraph): readonly Finding[] {
  return [...masked(paragraph.text).matchAll(pronoun)].map(({ 0: word, index }) =>
    findingAt(paragraph, index, `"${word.toLowerCase()}" stands for a thing: name it`),
  );
}

/** Doc comments that begin with a question word in the place of the thing that they describe. */
export function riddlesOf(paragraph: Paragraph): readonly Finding[] {
  const text = paragraph.text.trim();
  if (!paragraph.opensDocComment || !/^What\b/.test(text)) return [];
  const reason = /^What an? \{@link [^}]+\} needs/.test(text)
    ? 'begins with "What a {@link X} needs": say what the fields are'
    : 'begins with "What": say what the thing is, subject first';
  return [findingAt(paragraph, paragraph.text.indexOf("What"), reason)];
}

const pathOfRepository = /(?<![\w./-])(?:src|test|docs|bench|demo|examples)\/[\w./*-]*[\w*]/g;
/** Letters that stand for a name in instructions: `src/policies/NAME.ts`, `Fnn.ts`. */
const placeholder = /[A-Z]{4}|nn|\*/;
/** Made by commands, and in no checkout. */
const generated = /^docs\/api(\/|$)/;

/**
 * Paths of this repository that lead nowhere.
 * @param rooms the folders of `src`, whose files may be named without it: `wire/pools.ts`
 * @param exists whether there is a file or folder, by its path from the root
 */
export function deadPathsOf(paragraph: Paragraph, rooms: readonly string[], exists: (path: string) => boolean): readonly Finding[] {
  const withoutLinks = paragraph.text.replace(/\]\([^)\s]*\)/g, (found) => " ".repeat(found.length));
  const inRoom = new RegExp(`(?<=\`)(?:${rooms.join("|")})/[\\w./-]+\\.ts(?=\`)`, "g");
  const named = [
    ...[...withoutLinks.matchAll(pathOfRepository)].map(({ 0: path, index }) => ({ path, written: path, index })),
    ...[...withoutLinks.matchAll(inRoom)].map(({ 0: path, index }) => ({ path: `src/${path}`, written: path, index })),
  ];
  return named
    .filter(({ path }) => !placeholder.test(path) && !generated.test(path) && !exists(path))
    .map(({ written, index }) => findingAt(paragraph, index, `there is no ${written}`));
}
