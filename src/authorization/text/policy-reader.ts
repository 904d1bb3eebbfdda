import type { FindPlace, PartPath } from "../../documents/read-document.ts";
import { linearRegex } from "../../patterns/linear-regex.ts";
import { nearestName } from "../../suggestions/nearest-name.ts";
import { PolicyError } from "./policy-error.ts";

/** An object of a policy, with where it stands. */
export interface Part {
  readonly path: PartPath;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Values that a message shows. */
const maxShown = 60;
/** Values of one list of a rule. */
const maxListed = 4_096;
/** Regular expressions of one policy, and the states of all of them: a request may be in each. */
const maxRegexes = 1_000;
const maxStates = 20_000;

/** Checks the parts of a policy; each fault is an error with its name and place. */
export class PolicyReader {
  readonly #source: string;
  readonly #placeOf: FindPlace;
  #regexes = 0;
  #states = 0;

  constructor(source: string, placeOf: FindPlace) {
    this.#source = source;
    this.#placeOf = placeOf;
  }

  /** Refuses the part at `path`. */
  refuse(path: PartPath, problem: string, isKey = false): never {
    const name = nameOf(path);
    throw new PolicyError(this.#source, name === "" ? problem : `${name}: ${problem}`, this.#placeOf(path, isKey));
  }

  /** An object that has no other keys than these, of which it must have those of `required`. */
  part(path: PartPath, value: unknown, known: readonly string[], required: readonly string[] = []): Part {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      this.refuse(path, `it must be an object with ${known.join(", ")}`);
    const keys = Object.keys(value);
    for (const key of keys) {
      if (known.includes(key)) continue;
      const nearest = nearestName(key, known);
      const hint = nearest === undefined ? `; there are ${known.join(", ")}` : `; did you mean ${nearest}?`;
      this.refuse([...path, key], `there is no such field${hint}`, true);
    }
    for (const name of required) if (!keys.includes(name)) this.refuse(path, `${name} is missing`);
    return { path, value: value as Part["value"] };
  }

  /** A list that has at least one element, unless `mayBeEmpty`: one that is empty would match nothing, and what is left out matches all. */
  list(path: PartPath, value: unknown, mayBeEmpty = false): readonly unknown[] {
    if (!Array.isArray(value)) this.refuse(path, `it must be a list, not ${shown(value)}`);
    if (value.length > maxListed && path.length > 1) this.refuse(path, `it has ${value.length} values; ${maxListed} are allowed`);
    if (value.length === 0 && !mayBeEmpty) this.refuse(path, "an empty list matches nothing; leave the field out to match all");
    return value as readonly unknown[];
  }

  /** A text that is not empty. */
  text(path: PartPath, value: unknown): string {
    if (typeof value !== "string" || value === "") this.refuse(path, `it must be a text that is not empty, not ${shown(value)}`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no identity, path or name has one.
    if (/[\0-\x1f\x7f]/.test(value)) this.refuse(path, "it has a control character");
    return value;
  }

  flag(path: PartPath, value: unknown): boolean {
    if (typeof value !== "boolean") this.refuse(path, `it must be true or false, not ${shown(value)}`);
    return value;
  }

  choice<Word extends string>(path: PartPath, value: unknown, words: readonly Word[]): Word {
    const word = words.find((each) => each === value);
    if (word === undefined) this.refuse(path, `it must be one of ${words.join(", ")}, not ${shown(value)}`);
    return word;
  }

  /** A regular expression that can be compiled. */
  regex(path: PartPath, value: unknown): string {
    const text = this.text(path, value);
    if (++this.#regexes > maxRegexes) this.refuse(path, `there are more than ${maxRegexes} regular expressions in the policy`);
    this.#states += this.attempt(path, () => linearRegex(text)).size;
    if (this.#states > maxStates) this.refuse(path, `the regular expressions of the policy have more than ${maxStates} states`);
    return text;
  }

  /** Runs a check that throws; its message gets name and place. */
  attempt<Result>(path: PartPath, check: () => Result): Result {
    try {
      return check();
    } catch (error) {
      if (error instanceof PolicyError) throw error;
      return this.refuse(path, (error as Error).message);
    }
  }

  /** Each element of an optional list of texts, checked; `undefined` where the list is absent. */
  texts({ path, value }: Part, name: string, check: (text: string) => void = () => {}): readonly string[] | undefined {
    const given = value[name];
    if (given === undefined) return undefined;
    const here = [...path, name];
    return this.list(here, given).map((element, index) => {
      const place = [...here, index];
      const text = this.text(place, element);
      this.attempt(place, () => check(text));
      return text;
    });
  }
}

/** `rules[2].to.paths[0]` */
function nameOf(path: PartPath): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${cut(part)}`)).join("");
}

function shown(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return cut(text);
}

function cut(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
