import { dirname, resolve } from "node:path";
import { readFileSafely } from "../files/read-file.ts";
import type { ConfigNames } from "./config-names.ts";

/** A text with `${…}` in it, and what became of it. */
export interface Resolved {
  readonly value: unknown;
  /** Whether a part of it came from elsewhere: it may be a secret, and a number is text there. */
  readonly isReference: boolean;
}

/** Bytes of a file that a reference names: a key, a certificate, a token. */
const maxReferencedBytes = 65_536;
const reference = /\$(\$?)\{([^{}]*)\}/g;

/** Whether a text has a reference in it. */
export function hasReference(text: string): boolean {
  return [...text.matchAll(reference)].some(([, mark]) => mark === "");
}

/**
 * Puts in what `${env:NAME}`, `${env:NAME:-else}`, `${file:PATH}` and `${code:NAME}` stand for. `$${` is a plain `${`. Paths are relative to the file
 * of the configuration; a line break at the end of a referenced file is left out.
 */
export class References {
  /** The files that were put in, with their content, by path. */
  readonly files = new Map<string, string>();
  readonly #directory: string;
  readonly #names: ConfigNames;

  constructor(file: string, names: ConfigNames) {
    this.#directory = dirname(file);
    this.#names = names;
  }

  /** A path that stands in the configuration. */
  pathOf(path: string): string {
    return resolve(this.#directory, path);
  }

  /**
   * Rejects with an Error that names the reference, and never what it stands for.
   */
  async resolve(text: string): Promise<Resolved> {
    const parts = [...text.matchAll(reference)];
    if (parts.length === 0) return { value: text, isReference: false };
    const [first] = parts;
    if (first !== undefined && first[0] === text && first[1] === "" && first[2]?.startsWith("code:"))
      return { value: this.#code(first[2].slice("code:".length)), isReference: true };
    let value = "";
    let end = 0;
    for (const { 0: whole, 1: mark, 2: inner = "", index } of parts) {
      value += text.slice(end, index) + (mark === "" ? await this.#textOf(inner) : whole.slice(1));
      end = index + whole.length;
    }
    return { value: value + text.slice(end), isReference: hasReference(text) };
  }

  async #textOf(inner: string): Promise<string> {
    const colon = inner.indexOf(":");
    const [kind, rest] = [inner.slice(0, colon), inner.slice(colon + 1)];
    if (kind === "env" && rest !== "") return this.#variable(rest);
    if (kind === "file" && rest !== "") return await this.#file(rest);
    if (kind === "code") throw new TypeError(`\${${inner}} must be the whole value`);
    throw new TypeError(`\${${inner}} is no reference; there are \${env:NAME}, \${env:NAME:-else}, \${file:PATH} and \${code:NAME}`);
  }

  #variable(rest: string): string {
    const at = rest.indexOf(":-");
    const name = at === -1 ? rest : rest.slice(0, at);
    const value = (this.#names.env ?? process.env)[name];
    if (value !== undefined && value !== "") return value;
    if (at !== -1) return rest.slice(at + 2);
    throw new TypeError(
      `the variable ${name} is ${value === undefined ? "not set" : "empty"} (\${env:${name}:-else} has a value for that)`,
    );
  }

  async #file(path: string): Promise<string> {
    try {
      const file = this.pathOf(path);
      const bytes = await readFileSafely(file, { maxBytes: maxReferencedBytes });
      const text = bytes.toString("utf8").replace(/\r?\n$/, "");
      this.files.set(file, text);
      return text;
    } catch (error) {
      throw new TypeError(`\${file:${path}}: ${(error as Error).message}`, { cause: error });
    }
  }

  #code(name: string): unknown {
    const { values = {} } = this.#names;
    if (Object.hasOwn(values, name)) return values[name];
    const known = Object.keys(values);
    throw new TypeError(
      `\${code:${name}}: the program gives no value of this name${known.length === 0 ? "" : `; it gives ${known.join(", ")}`} (\`values\` of fromFile)`,
    );
  }
}
