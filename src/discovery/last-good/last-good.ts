import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";
import type { Clock, Timer } from "../../core/clock.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import { checkDirectory, prepareDirectory, sweepDirectory } from "./last-good-directory.ts";
import { readLastGood, writeLastGood } from "./last-good-file.ts";

/** The last good endpoints of a service, as an earlier process wrote them. */
export interface Remembered {
  /** Not checked: they are validated like an answer of the registry. */
  readonly endpoints: readonly unknown[];
  /** Their age, in milliseconds. */
  readonly ageMs: number;
}

/** Options of {@link LastGood}. */
export interface LastGoodOptions {
  /** Created when it does not exist. */
  readonly directory: string;
  /** Age up to which endpoints are used, in milliseconds. */
  readonly maxAgeMs: number;
  /** Files that are kept. */
  readonly maxFiles: number;
  readonly clock: Clock;
  /** Called when a file could not be written. */
  readonly onError: (service: string, error: unknown) => void;
}

/** A set of endpoints as discovery gave or confirmed it last. */
interface SavedSet {
  endpoints: readonly Endpoint[];
  confirmedAt: number;
  /** When its file was written last. */
  writtenAt: number;
}

/** Changes within this time are written once. */
const settleMs = 1_000;
/** A set that does not change is written again this often as a part of the greatest age, so that its file does not grow old. */
const refreshesPerAge = 24;
/** Differences between the clocks of machines that share a file system. */
const maxSkewMs = 60_000;
const maxNameLength = 200;

/**
 * The last good endpoints of each service, in a file each, so that a process that starts while the registry is down knows where to send
 * its calls. A file is written under another name and renamed, so that a reader never sees half of it, and has a checksum, so that a
 * damaged one is not used. Neither is one that others may write, or that is too old.
 */
export class LastGood {
  readonly #options: LastGoodOptions;
  readonly #directory: string;
  /** The newest set of each service that is watched. */
  readonly #sets = new Map<string, SavedSet>();
  readonly #dirty = new Set<string>();
  #timer: Timer | undefined = undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: LastGoodOptions) {
    this.#options = options;
    this.#directory = resolve(options.directory);
  }

  /** Saves a set that is not empty. It is written within a second or so, and on {@link close}; one that is written already, now and then. */
  save(service: string, endpoints: readonly Endpoint[]): void {
    if (endpoints.length === 0) return;
    const { clock, maxAgeMs } = this.#options;
    const now = clock.wallNow();
    const known = this.#sets.get(service);
    const set = known ?? { endpoints, confirmedAt: now, writtenAt: Number.NEGATIVE_INFINITY };
    const isFresh = set.endpoints === endpoints && now - set.writtenAt < maxAgeMs / refreshesPerAge;
    set.endpoints = endpoints;
    set.confirmedAt = now;
    if (known === undefined) this.#sets.set(service, set);
    if (isFresh) return;
    this.#dirty.add(service);
    this.#timer ??= clock.setTimer(() => void this.#flush(), settleMs, false);
  }

  /** Forgets a service that is no longer watched. Its file stays until newer ones need the place. */
  forget(service: string): void {
    this.#sets.delete(service);
    this.#dirty.delete(service);
  }

  /**
   * The endpoints that were written for `service`; `undefined` where there is no file. Rejects with `ERR_MESH_DISCOVERY` where the file is
   * damaged, too old or of the future, or where others may write it or its directory.
   */
  async load(service: string): Promise<Remembered | undefined> {
    const path = this.#pathOf(service);
    const { clock, maxAgeMs } = this.#options;
    try {
      await checkDirectory(this.#directory);
      const { endpoints, savedAt } = await readLastGood(path, service);
      const ageMs = clock.wallNow() - savedAt;
      if (ageMs > maxAgeMs) throw new Error(`it is ${Math.round(ageMs / 60_000)} minutes old (lastGoodMaxAgeMs is ${maxAgeMs})`);
      if (!(ageMs >= -maxSkewMs)) throw new Error("it was written in the future");
      return { endpoints, ageMs: Math.max(0, ageMs) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw this.#fault(service, path, "used", error);
    }
  }

  /** Writes what has not been written yet. */
  async close(): Promise<void> {
    // Also that they were current until now.
    for (const [service, { confirmedAt, writtenAt }] of this.#sets) if (confirmedAt > writtenAt) this.#dirty.add(service);
    await this.#flush();
  }

  #flush(): Promise<void> {
    const { clock } = this.#options;
    clock.clearTimer(this.#timer);
    this.#timer = undefined;
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    if (dirty.length > 0) this.#writing = this.#writing.then(() => this.#writeAll(dirty));
    return this.#writing;
  }

  async #writeAll(services: readonly string[]): Promise<void> {
    const { clock, maxFiles, onError } = this.#options;
    let isNew = false;
    for (const service of services) {
      const set = this.#sets.get(service);
      if (set === undefined) continue;
      isNew ||= set.writtenAt === Number.NEGATIVE_INFINITY;
      const path = this.#pathOf(service);
      const savedAt = set.confirmedAt;
      try {
        await prepareDirectory(this.#directory);
        await writeLastGood(path, { service, savedAt, endpoints: set.endpoints });
        set.writtenAt = savedAt;
      } catch (error) {
        onError(service, this.#fault(service, path, "written", error));
      }
    }
    if (!isNew) return;
    const kept = new Set([...this.#sets.keys()].map((service) => basename(this.#pathOf(service))));
    await sweepDirectory(this.#directory, maxFiles, kept, clock.wallNow()).catch(() => {});
  }

  #fault(service: string, path: string, use: string, cause: unknown): MeshError {
    const message = `the last good endpoints in ${path} cannot be ${use}: ${describeError(cause)}`;
    return new MeshError("ERR_MESH_DISCOVERY", message, { service, cause });
  }

  #pathOf(service: string): string {
    // Encoded, so that every name is one file in this directory. File systems allow 255 bytes.
    const name = encodeURIComponent(service);
    return join(this.#directory, `${name.length <= maxNameLength ? name : createHash("sha256").update(name).digest("hex")}.json`);
  }
}
