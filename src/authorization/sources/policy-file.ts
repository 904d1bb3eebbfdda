import { type BigIntStats, readFileSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { Clock, Timer } from "../../core/clock.ts";
import { maxDocumentLength } from "../../documents/read-document.ts";
import { readFileSafely } from "../../files/read-file.ts";
import type { PolicyListener, PolicySource, PolicyWatch } from "./policy-source.ts";

/**
 * Reads the policy that a program begins with, at once: nothing is served before it is known.
 * @throws Error saying why the file cannot be read.
 */
export function readPolicyFile(path: string): string {
  const stats = statSync(path);
  if (!stats.isFile()) throw new Error(`${path} is not a regular file`);
  if (stats.size > maxDocumentLength) throw new Error(`${path} has ${stats.size} bytes; ${maxDocumentLength} are allowed`);
  return readFileSync(path, "utf8");
}

/**
 * Watches a file by asking for its stamp: notices of the operating system are lost on network file systems, and a file that is replaced by a renaming, as that
 * of a ConfigMap, is another one. A change counts once two questions in a row have found the same stamp: half of a YAML text is a text, too, which may lack
 * the rules that deny.
 */
export function policyFile(path: string, { pollMs, clock }: { readonly pollMs: number; readonly clock: Clock }): PolicySource {
  return { name: path, watch: (listener) => new FileWatch(path, pollMs, clock, listener) };
}

class FileWatch implements PolicyWatch {
  readonly #path: string;
  readonly #pollMs: number;
  readonly #clock: Clock;
  readonly #listener: PolicyListener;
  #timer: Timer = undefined;
  /** The stamps that were found last, and told last. The policy that the program began with is told once more. */
  #found = "";
  #told = "";
  #isClosed = false;

  constructor(path: string, pollMs: number, clock: Clock, listener: PolicyListener) {
    this.#path = path;
    this.#pollMs = pollMs;
    this.#clock = clock;
    this.#listener = listener;
    this.#later();
  }

  close(): void {
    this.#isClosed = true;
    this.#clock.clearTimer(this.#timer);
  }

  #later(): void {
    if (!this.#isClosed) this.#timer = this.#clock.setTimer(() => void this.#look(), this.#pollMs, false);
  }

  async #look(): Promise<void> {
    try {
      await this.#ask();
    } catch (error) {
      this.#found = "";
      this.#told = "";
      if (!this.#isClosed) this.#listener.fail(error as Error);
    }
    this.#later();
  }

  async #ask(): Promise<void> {
    const stamp = stampOf(await stat(this.#path, { bigint: true }));
    const isSettled = stamp === this.#found;
    this.#found = stamp;
    if (!isSettled || stamp === this.#told) return;
    const text = (await readFileSafely(this.#path, { maxBytes: maxDocumentLength })).toString("utf8");
    // It has changed while it was read.
    if (stampOf(await stat(this.#path, { bigint: true })) !== stamp || this.#isClosed) return;
    this.#told = stamp;
    this.#listener.update(text);
  }
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
