import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import type { Clock, Timer } from "../../core/clock.ts";

/** The files that are watched, and what happens on a change. */
export interface FileStampsOptions {
  /** Asked at each look. */
  readonly paths: () => Iterable<string>;
  readonly pollMs: number;
  readonly clock: Clock;
  /** Called when files have changed and have been the same at two looks in a row. `isStill` resolves with whether they are as they were before it was called. Never rejects. */
  readonly onChange: (isStill: () => Promise<boolean>) => Promise<void>;
}

/**
 * Watches files by their stamps: notices of the operating system are lost on network file systems, and a file that is replaced by a renaming, or by a symbolic
 * link as that of a ConfigMap, is another one. A change counts once two looks in a row have found the same, since half of a text is a text, too.
 */
export class FileStamps {
  readonly #options: FileStampsOptions;
  #timer: Timer = undefined;
  #found: string | undefined = undefined;
  #told: string | undefined = undefined;
  #isClosed = false;

  /** The first look that is settled counts as a change: the files may have changed since they were read. */
  constructor(options: FileStampsOptions) {
    this.#options = options;
    this.#later();
  }

  close(): void {
    this.#isClosed = true;
    this.#options.clock.clearTimer(this.#timer);
  }

  #later(): void {
    if (!this.#isClosed) this.#timer = this.#options.clock.setTimer(() => void this.#look(), this.#options.pollMs, false);
  }

  async #look(): Promise<void> {
    const { paths, onChange } = this.#options;
    const stamps = await stampsOf(paths());
    const isSettled = stamps === this.#found;
    this.#found = stamps;
    if (isSettled && stamps !== this.#told && !this.#isClosed) {
      this.#told = stamps;
      await onChange(async () => {
        const isStill = (await stampsOf(paths())) === stamps;
        // Changed while it was read: a later look tells of it once more.
        if (!isStill) this.#told = undefined;
        return isStill && !this.#isClosed;
      });
    }
    this.#later();
  }
}

/** The stamps of files, in one text. A file that is not there has one, too. */
async function stampsOf(paths: Iterable<string>): Promise<string> {
  const stamps = await Promise.all(
    [...paths].map(async (path) => `${path}:${await stat(path, { bigint: true }).then(stampOf, () => "gone")}`),
  );
  return stamps.join("\n");
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
