import { fileURLToPath } from "node:url";
import { type Clock, systemClock } from "../../core/clock.ts";
import { warnOfThrow } from "../../core/observing/fence.ts";
import { checkKeys, checkNumber, checkObject, maxTimerMs } from "../../core/settings/checks.ts";
import { configurationOf } from "../../mesh/live/configuration-of.ts";
import type { LiveConfiguration } from "../../mesh/live/live-configuration.ts";
import type { Mesh } from "../../mesh/mesh.ts";
import type { ConfigNames } from "../config-names.ts";
import { type ReadConfig, readConfigFile, readingOf } from "../read-config.ts";
import { FileStamps } from "./file-stamps.ts";
import { type ConfigInForce, mergeConfig } from "./merged-config.ts";

/** Options of {@link followFile}. */
export interface FollowFileOptions {
  /** The names that the program gives, as for `fromFile`. They are asked at each reading. */
  readonly names?: ConfigNames;
  /** How often the file is looked at, in milliseconds. Default 1,000. A change is in force after two looks. */
  readonly pollMs?: number;
  /** Told of a configuration that is refused, once for each version of the file. Default: a process warning `MeshConfigWarning`. */
  readonly onError?: (error: Error) => void;
  /** Time, for tests. */
  readonly clock?: Clock;
}

/** Follows a file until it is closed, or the mesh is. */
export interface FileFollower extends Disposable {
  /** Ends it: the configuration stays as it is. */
  close(): void;
}

const known: readonly (keyof FollowFileOptions)[] = ["names", "pollMs", "onError", "clock"];

/**
 * Changes the configuration of a mesh with the file that it was made from: `followFile(mesh, "mesh.yaml")`. A new version is read when the file has been the same at
 * two looks, and is in force as a whole or not at all: one that is half there, gone or wrong changes nothing, and is said once. Options that only a new mesh takes
 * stay as they are, and are named by the event `configured`; all others change. A file that is referred to (`${file:…}`) counts as a part of it.
 * @throws TypeError or RangeError for wrong options, and for an object that is no mesh of `createMesh`.
 */
export function followFile(mesh: Mesh, path: string | URL, options: FollowFileOptions = {}): FileFollower {
  checkObject("followFile: options", options);
  checkKeys("followFile", options, known);
  checkNumber("followFile: pollMs", options.pollMs, 10, maxTimerMs);
  const live = configurationOf(mesh);
  if (live === undefined) throw new TypeError("followFile: the first argument must be a mesh of createMesh");
  return new Follower(mesh, live, typeof path === "string" ? path : fileURLToPath(path), options);
}

class Follower implements FileFollower {
  readonly #mesh: Mesh;
  readonly #live: LiveConfiguration;
  readonly #file: string;
  readonly #names: ConfigNames;
  readonly #onError: (error: Error) => void;
  readonly #stamps: FileStamps;
  #inForce: ConfigInForce | undefined;
  /** The files that the newest version refers to. */
  #referenced: Iterable<string> = [];
  readonly #leave: () => void;

  constructor(
    mesh: Mesh,
    live: LiveConfiguration,
    file: string,
    { names = {}, pollMs = 1_000, onError = warn, clock = systemClock }: FollowFileOptions,
  ) {
    this.#mesh = mesh;
    this.#live = live;
    this.#file = file;
    this.#names = names;
    this.#onError = onError;
    // Options that were changed after they were read are no longer those of the file.
    this.#inForce = readingOf(live.current.options);
    this.#referenced = this.#inForce?.files.keys() ?? [];
    this.#stamps = new FileStamps({ paths: () => [file, ...this.#referenced], pollMs, clock, onChange: (isStill) => this.#read(isStill) });
    this.#leave = mesh.observe({ onClose: () => this.#stamps.close() });
  }

  close(): void {
    this.#stamps.close();
    this.#leave();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #read(isStill: () => Promise<boolean>): Promise<void> {
    try {
      const read = await readConfigFile(this.#file, this.#names);
      try {
        this.#referenced = [...read.files.keys()];
        if (await isStill()) this.#take(read);
      } finally {
        // The one in force stays; nothing was connected.
        await read.options.discovery.close?.();
      }
    } catch (error) {
      if (await isStill()) this.#refuse(error as Error);
    }
  }

  #take(read: ReadConfig): void {
    const { data, files } = read;
    const watched = new Set(this.#mesh.services());
    const { options, inForce, restart } = mergeConfig({
      // Of a mesh that was not made from the file as it is, the first reading says what is in force.
      inForce: this.#inForce ?? { data, files },
      current: this.#live.current.options,
      read,
      isWatched: (service) => watched.has(service),
    });
    if (this.#inForce !== undefined && this.#hasChanged(inForce, restart)) {
      try {
        this.#live.reconfigure(options, { source: this.#file, restart });
      } catch (error) {
        // The configuration has told its observers.
        this.#say(error as Error);
        return;
      }
    } else this.#live.confirm(this.#file);
    this.#inForce = inForce;
    if (restart.length > 0) this.#say(new Error(`${this.#file}: ${restart.join(", ")} need a restart; everything else is in force`));
  }

  #hasChanged({ data, files }: ConfigInForce, restart: readonly string[]): boolean {
    const before = this.#inForce;
    const isSame = JSON.stringify([before?.data, [...(before?.files ?? [])]]) === JSON.stringify([data, [...files]]);
    return !isSame || restart.join() !== this.#live.read().restart.join();
  }

  #refuse(error: Error): void {
    this.#live.refuse(this.#file, error);
    this.#say(error);
  }

  #say(error: Error): void {
    try {
      this.#onError(error);
    } catch (thrown) {
      warnOfThrow("onError of followFile", thrown);
    }
  }
}

function warn(error: Error): void {
  process.emitWarning(`inmesh: ${error.message}; the configuration before stays in force`, "MeshConfigWarning");
}
