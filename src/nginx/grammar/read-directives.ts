import { dirname, resolve } from "node:path";
import { cleanText } from "../../core/text/clean-text.ts";
import { readFileSafely } from "../../files/read-file.ts";
import { type Directive, faultOf } from "./directive.ts";
import { filesOf, isPattern } from "./included-files.ts";
import { NginxError } from "./nginx-error.ts";
import { maxDirectives, parseFile } from "./parse-file.ts";

/** Bytes of all files together. */
const maxBytes = 33_554_432;
const maxFiles = 2_000;
/** Files that include each other, one in another. */
const maxDepth = 32;

/** Reads a file; in the place of the file system for tests, and for a text that is no file. */
export type ReadFile = (path: string, maxBytes: number) => Promise<string>;

const fromDisk: ReadFile = async (path, limit) => {
  const bytes = await readFileSafely(path, { maxBytes: limit });
  return bytes.toString("utf8");
};

/**
 * The directives of a file and of all that it includes, those of an included file in the place of the `include`. Paths are relative to the directory of
 * the first file, as nginx has it, or to `prefix`.
 * Rejects with a {@link NginxError} with file, line and column.
 */
export async function readDirectives(file: string, prefix = dirname(resolve(file)), read = fromDisk): Promise<readonly Directive[]> {
  return await new Reading(prefix, read).file(file, [], undefined);
}

class Reading {
  readonly #prefix: string;
  readonly #read: ReadFile;
  readonly #budget = { left: maxDirectives };
  #bytesLeft = maxBytes;
  #filesLeft = maxFiles;

  constructor(prefix: string, read: ReadFile) {
    this.#prefix = prefix;
    this.#read = read;
  }

  /** @param within the files that lead to this one, resolved, the first outermost */
  async file(file: string, within: readonly string[], include: Directive | undefined): Promise<readonly Directive[]> {
    const path = resolve(file);
    if (within.includes(path)) throw this.#fault(file, include, `the files include each other: ${[...within, path].join(" → ")}`);
    if (within.length >= maxDepth) throw this.#fault(file, include, `files include each other deeper than ${maxDepth}`);
    if (this.#filesLeft-- <= 0) throw this.#fault(file, include, `there are more than ${maxFiles} files`);
    const text = await this.#read(path, this.#bytesLeft).catch((error: Error) => {
      throw this.#fault(file, include, include === undefined ? error.message : `${cleanText(file)}: ${error.message}`);
    });
    this.#bytesLeft -= text.length;
    return await this.#withIncludes(parseFile(text, file, this.#budget), [...within, path]);
  }

  async #withIncludes(directives: readonly Directive[], within: readonly string[]): Promise<readonly Directive[]> {
    // Most blocks include nothing: they stay as they are.
    if (!directives.some(({ name, block }) => name === "include" || block !== undefined)) return directives;
    const whole: Directive[] = [];
    for (const directive of directives) {
      if (directive.name === "include") {
        for (const file of await this.#filesOf(directive)) for (const each of await this.file(file, within, directive)) whole.push(each);
      } else if (directive.block !== undefined) whole.push({ ...directive, block: await this.#withIncludes(directive.block, within) });
      else whole.push(directive);
    }
    return whole;
  }

  async #filesOf(include: Directive): Promise<readonly string[]> {
    const [path, more] = include.args;
    if (include.block !== undefined) throw faultOf(include, "it has no block");
    if (path === undefined || path.text === "" || more !== undefined) throw faultOf(include, "it takes one path");
    if (!isPattern(path.text)) return [resolve(this.#prefix, path.text)];
    return await filesOf(this.#prefix, path.text).catch((error: Error) => {
      throw faultOf(include, error.message, path.place);
    });
  }

  #fault(file: string, include: Directive | undefined, problem: string): NginxError {
    return include === undefined ? new NginxError(file, problem) : faultOf(include, problem);
  }
}
