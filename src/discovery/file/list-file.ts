import { type BigIntStats, type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock, Timer } from "../../core/clock.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import { inTurns } from "../../core/json/in-turns.ts";
import { readJson } from "../../core/json/json-scanner.ts";
import { fenced } from "../../core/observing/fence.ts";
import { readFileSafely } from "../../files/read-file.ts";
import { Notifier } from "../notifier.ts";
import { serviceListOf } from "./service-list.ts";
import { readYaml } from "./yaml.ts";

/** The format of a file. */
export type FileFormat = "json" | "yaml";

/** Options of a {@link ListFile}. */
export interface ListFileOptions {
  /** Absolute. */
  readonly path: string;
  readonly format: FileFormat;
  readonly pollMs: number;
  readonly clock: Clock;
  readonly onError: ((error: unknown) => void) | undefined;
}

/** 50,000 instances in JSON, some thousands in YAML. */
const maxBytes = { json: 8 * 1024 * 1024, yaml: 256 * 1024 };
/** Characters of JSON that are parsed at once. Of more, an error says less about the place. */
const maxAtOnce = 262_144;
/** Pause between a notice and the read: a writer that truncates and writes has usually finished by then. */
const settleMs = 50;
/** The coarsest resolution of time stamps: a second write within it may leave the same stamp. */
const stampGranularityMs = 2_000;
const maxRereads = 3;

type State = { readonly services: ReadonlyMap<string, readonly Endpoint[]> } | { readonly error: MeshError };

/**
 * One file with a list of services, shared by all watches of it. While at least one watch follows it, it is read again when it changes.
 * The operating system's notices about its directory are fast; a poll of the file's time stamps is sure, since notices are lost on network
 * file systems and behind symbolic links.
 */
export class ListFile {
  /** Notified after every read. */
  readonly changes: Notifier = new Notifier();
  readonly #options: ListFileOptions;
  #state: State | undefined = undefined;
  #stamp = "";
  #text: string | undefined = undefined;
  #readsBegun = 0;
  #reads = 0;
  #wanted = 0;
  #followers = 0;
  #watcher: FSWatcher | undefined = undefined;
  #isDeaf = false;
  #poll: Timer = undefined;
  #settle: Timer = undefined;

  constructor(options: ListFileOptions) {
    this.#options = options;
  }

  /** Number of reads that have ended. */
  get reads(): number {
    return this.#reads;
  }

  /** The services in the file. Throws `ERR_MESH_DISCOVERY` when the last read failed. */
  services(): ReadonlyMap<string, readonly Endpoint[]> {
    if (this.#state === undefined) throw this.#fault("it has not been read yet", undefined);
    if ("error" in this.#state) throw this.#state.error;
    return this.#state.services;
  }

  /** Requests a read that begins after this call. Returns the least value of {@link reads} once it has ended. */
  refresh(): number {
    const isReading = this.#readsBegun > this.#reads;
    this.#wanted = this.#readsBegun + 1;
    // Never rejects: `#read` keeps every failure as the state.
    if (!isReading) void this.#readWanted();
    return this.#wanted;
  }

  /** Reads the file again if a watch follows it. */
  reread(): void {
    if (this.#followers > 0) this.refresh();
  }

  /** Keeps the file current until the returned function is called. Keeps no process alive. */
  follow(): () => void {
    this.#followers += 1;
    if (this.#followers === 1) {
      this.#listen();
      this.#pollLater();
    }
    let isFollowing = true;
    return () => {
      if (!isFollowing) return;
      isFollowing = false;
      this.#followers -= 1;
      if (this.#followers === 0) this.#unfollow();
    };
  }

  #unfollow(): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#poll);
    clock.clearTimer(this.#settle);
    this.#settle = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#isDeaf = false;
  }

  /** Watches the directory, since a file that is replaced by renaming, like that of a ConfigMap, is another file. */
  #listen(): void {
    const { path, clock } = this.#options;
    try {
      const watcher = watch(dirname(path), { persistent: false }, () => {
        // Further notices do not postpone it: a directory may be busy for other reasons.
        this.#settle ??= clock.setTimer(
          () => {
            this.#settle = undefined;
            this.refresh();
          },
          settleMs,
          false,
        );
      });
      watcher.on("error", (error) => {
        watcher.close();
        if (this.#watcher === watcher) this.#watcher = undefined;
        this.#reportDeaf(error);
      });
      this.#watcher = watcher;
      this.#isDeaf = false;
    } catch (error) {
      this.#reportDeaf(error);
    }
  }

  #reportDeaf(error: unknown): void {
    if (this.#isDeaf) return;
    this.#isDeaf = true;
    fenced("onError of fileDiscovery", () => this.#options.onError?.(error));
  }

  #pollLater(): void {
    const { clock, pollMs } = this.#options;
    this.#poll = clock.setTimer(
      () => {
        if (this.#watcher === undefined) this.#listen();
        this.refresh();
        this.#pollLater();
      },
      pollMs,
      false,
    );
  }

  async #readWanted(): Promise<void> {
    while (this.#readsBegun < this.#wanted) {
      this.#readsBegun += 1;
      await this.#read();
      this.#reads = this.#readsBegun;
      this.changes.notify();
    }
  }

  async #read(): Promise<void> {
    try {
      for (let reread = 0; reread < maxRereads; reread++) {
        if (await this.#readOnce()) return;
      }
      throw new Error("it changes faster than it can be read");
    } catch (error) {
      this.#stamp = "";
      this.#text = undefined;
      this.#state = { error: this.#fault(describeError(error), error) };
    }
  }

  /** `false` when the file changed meanwhile, so that the text may be half of one version and half of another. */
  async #readOnce(): Promise<boolean> {
    const { path, format, clock } = this.#options;
    const before = await stat(path, { bigint: true });
    const stamp = stampOf(before);
    if (stamp === this.#stamp) return true;
    const text = (await readFileSafely(path, { maxBytes: maxBytes[format] })).toString("utf8");
    if (stampOf(await stat(path, { bigint: true })) !== stamp) return false;
    if (text !== this.#text) this.#state = { services: await this.#parse(text) };
    this.#text = text;
    const isSettled = clock.wallNow() - Number(before.mtimeMs) > stampGranularityMs;
    this.#stamp = isSettled ? stamp : "";
    return true;
  }

  async #parse(text: string): Promise<ReadonlyMap<string, readonly Endpoint[]>> {
    const { path, format, clock } = this.#options;
    const content = text.replace(/^\uFEFF/, "");
    if (!/\S/.test(content)) throw new Error("it is empty");
    const list = format === "yaml" ? await readYaml(content, clock) : await parseJson(content);
    return await inTurns(serviceListOf(list, path));
  }

  #fault(reason: string, cause: unknown): MeshError {
    const { path } = this.#options;
    const message = reason.includes(path) ? `file discovery: ${reason}` : `file discovery: ${path}: ${reason}`;
    return new MeshError("ERR_MESH_DISCOVERY", message, { cause });
  }
}

async function parseJson(text: string): Promise<unknown> {
  return text.length > maxAtOnce ? await inTurns(readJson(Buffer.from(text))) : JSON.parse(text);
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
