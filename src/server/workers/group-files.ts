import { link, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "./process-mark.ts";

/** The state of a group of workers, at one look. */
export interface GroupView {
  /** Whether others see that this worker serves. */
  readonly isShown: boolean;
  /** Whether another worker serves, and does not leave. */
  readonly othersServe: boolean;
  /** The one that holds the place: this worker, another one that is alive, or none. */
  readonly holder: "own" | "other" | "none";
  /** The number of the last turn; 0 before the first. */
  readonly turn: number;
  /** Whether one that has served before this look is alive: what was kept is still of the same group then. */
  readonly hasPredecessor: boolean;
}

const servingName = /^serving-(\d+-\d+)$/;
/** Turns whose files stay: a listing may take as long as some turns do. */
const keptTurns = 8;
const turnName = /^(turn|free|kept)-(\d+)$/;

/**
 * The files by which workers know of each other, and by which one of them at a time holds a place.
 *
 * `serving-MARK` is there while the worker with this mark serves. `turn-N` names the holder of turn N, and `free-N` is there once that has left the place. The
 * last turn alone counts. Turn N + 1 may begin when turn N is free or its holder is dead, which both stay so, and a file can be made by one only.
 * `kept-N` has what the holder of turn N keeps for the next one. Files of turns are added, and none is renamed: a listing while that happens shows the state before or after it. Those of the latest turns are never removed, so
 * that a worker that took an outdated turn sees a later one, and undoes it; all of them go with the last worker.
 */
export class GroupFiles {
  readonly #directory: string;
  readonly #mark: string;

  /** @param mark that of the own process, see `ownMark`. */
  constructor(directory: string, mark: string) {
    this.#directory = directory;
    this.#mark = mark;
  }

  /** Shows that this worker serves; again where it has been removed, and in a way that cleaners of old files notice. */
  async serve(): Promise<void> {
    await this.#write(`serving-${this.#mark}`, "");
  }

  /** This worker serves no more. */
  async leave(): Promise<void> {
    await rm(this.#path(`serving-${this.#mark}`), { force: true });
  }

  async look(): Promise<GroupView> {
    const names = await this.#names();
    const isShown = names.includes(`serving-${this.#mark}`);
    let othersServe = false;
    for (const name of names) {
      const mark = servingName.exec(name)?.[1];
      if (mark === undefined || mark === this.#mark) continue;
      if (await isAlive(mark)) othersServe = true;
      else await rm(this.#path(name), { force: true });
    }
    const { turn, isFree } = lastTurn(names);
    if (turn === 0) return { isShown, othersServe, holder: "none", turn, hasPredecessor: othersServe };
    const mark = await this.#holderOf(turn);
    // Gone since the listing: what is there now shows the next look.
    const hasPredecessor = othersServe || mark === undefined || (await isAlive(mark));
    if (isFree) return { isShown, othersServe, holder: "none", turn, hasPredecessor };
    if (mark === this.#mark) return { isShown, othersServe, holder: "own", turn, hasPredecessor };
    return { isShown, othersServe, holder: mark === undefined || (await isAlive(mark)) ? "other" : "none", turn, hasPredecessor };
  }

  /** Takes the place for the turn after that of `view`, which has no holder. Returns whether this worker has it. */
  async take({ turn: former }: GroupView): Promise<boolean> {
    const turn = former + 1;
    const draft = this.#path(`draft-${this.#mark}`);
    await this.#write(`draft-${this.#mark}`, this.#mark);
    try {
      // The file is there with its content, or not at all.
      await link(draft, this.#path(`turn-${turn}`));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST" || code === "ENOENT") return false;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
    const names = await this.#names();
    if (lastTurn(names).turn > turn) {
      await rm(this.#path(`turn-${turn}`), { force: true });
      return false;
    }
    for (const name of names) {
      const number = Number(turnName.exec(name)?.[2] ?? turn);
      if (number <= turn - keptTurns) await rm(this.#path(name), { force: true });
    }
    return true;
  }

  /** Leaves the place, which this worker holds in the turn of `view`. */
  async release({ turn }: GroupView): Promise<void> {
    // Where something has removed the files, a later turn of this number is another one's.
    if ((await this.#holderOf(turn)) === this.#mark) await writeFile(this.#path(`free-${turn}`), "", { mode: 0o600 });
  }

  /** Keeps a text for the next holder, in place of what was kept; for the holder of the turn of `view`. */
  async keep({ turn }: GroupView, text: string): Promise<void> {
    const draft = `draft-kept-${this.#mark}`;
    await this.#write(draft, text);
    // The file is there with its content, or not at all.
    await rename(this.#path(draft), this.#path(`kept-${turn}`));
  }

  /** The text that the holder of the latest turn has kept; `undefined` where it has kept none. */
  async kept(): Promise<string | undefined> {
    const turn = highestTurn("kept", await this.#names());
    return turn === 0 ? undefined : await this.#read(`kept-${turn}`);
  }

  /** Makes the files of the last turn look new to what removes old files. */
  async touch({ turn }: GroupView): Promise<void> {
    const now = new Date();
    for (const kind of ["turn", "kept"]) await utimes(this.#path(`${kind}-${turn}`), now, now).catch(() => {});
  }

  /** Removes all files, at once for those that look: none is left of a group that has ended. A worker that has just come shows itself again. */
  async remove(): Promise<void> {
    const removed = `${this.#directory}-${this.#mark}`;
    await rename(this.#directory, removed);
    await rm(removed, { recursive: true, force: true });
  }

  /** Writes a file, in the directory that is made again where it has been removed. */
  async #write(name: string, content: string): Promise<void> {
    try {
      await writeFile(this.#path(name), content, { mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFile(this.#path(name), content, { mode: 0o600 });
    }
  }

  /** The names of all files; none where the directory has been removed. */
  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return [];
    }
  }

  #holderOf(turn: number): Promise<string | undefined> {
    return this.#read(`turn-${turn}`);
  }

  /** The content of a file; `undefined` where there is none. */
  async #read(name: string): Promise<string | undefined> {
    try {
      return await readFile(this.#path(name), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

function lastTurn(names: readonly string[]): { readonly turn: number; readonly isFree: boolean } {
  const turn = highestTurn("turn", names);
  return { turn, isFree: turn === 0 || names.includes(`free-${turn}`) };
}

function highestTurn(kind: "turn" | "kept", names: readonly string[]): number {
  return names.reduce((highest, name) => {
    const [, found, number] = turnName.exec(name) ?? [];
    return found === kind ? Math.max(highest, Number(number)) : highest;
  }, 0);
}
