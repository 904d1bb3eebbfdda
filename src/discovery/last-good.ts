import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock, Timer } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { describeError, MeshError } from "../core/errors.ts";

/** What was remembered of a service. */
export interface Remembered {
  /** As written: they are checked like an answer of the registry. */
  readonly endpoints: readonly unknown[];
  /** How long ago discovery said so, in milliseconds. */
  readonly ageMs: number;
}

/** What a {@link LastGood} needs. */
export interface LastGoodOptions {
  /** Made when it does not exist. */
  readonly directory: string;
  readonly clock: Clock;
  /** Told when a file could not be written. */
  readonly onError: (service: string, error: unknown) => void;
}

/** Changes within so long are written once. */
const settleMs = 1_000;
const maxNameLength = 200;
const maxBytes = 32 * 1024 * 1024;
/** Nobody but the user of the process may read them, let alone write: who can change them decides where requests go. */
const fileMode = 0o600;
const directoryMode = 0o700;

/**
 * The last good endpoints of each service in a file of its own, so that a process which starts while the registry is down still knows
 * where to send its calls. Written beside and renamed, so that a reader never sees half a file; with a checksum, so that a damaged one
 * is not used.
 */
export class LastGood {
  readonly #options: LastGoodOptions;
  readonly #directory: string;
  /** The newest set of each service that has one, and whether it has been written. */
  readonly #sets = new Map<string, readonly Endpoint[]>();
  readonly #dirty = new Map<string, number>();
  #timer: Timer | undefined = undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: LastGoodOptions) {
    this.#options = options;
    this.#directory = resolve(options.directory);
  }

  /** Remembers a set; an empty one is not worth it. Returns at once: it is written within a second or so, and on {@link close}. */
  save(service: string, endpoints: readonly Endpoint[]): void {
    if (endpoints.length === 0 || this.#sets.get(service) === endpoints) return;
    this.#sets.set(service, endpoints);
    this.#dirty.set(service, this.#options.clock.wallNow());
    this.#timer ??= this.#options.clock.setTimer(() => void this.#flush(), settleMs, false);
  }

  /**
   * What was written for `service`; `undefined` when nothing was.
   * Rejects with `ERR_MESH_DISCOVERY` when the file is damaged, or when others than this user may write it.
   */
  async load(service: string): Promise<Remembered | undefined> {
    const path = this.#pathOf(service);
    try {
      const { mode, uid, size } = await stat(path);
      if ((mode & 0o022) !== 0 || (process.getuid !== undefined && uid !== process.getuid() && uid !== 0))
        throw new Error("others may write it, so it is not trusted (chmod 600)");
      if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      return this.#read(await readFile(path, "utf8"), service);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new MeshError("ERR_MESH_DISCOVERY", `the last good endpoints in ${path} cannot be used: ${describeError(error)}`, {
        service,
        cause: error,
      });
    }
  }

  /** Writes what has not been written yet. */
  async close(): Promise<void> {
    await this.#flush();
  }

  #read(text: string, service: string): Remembered {
    const end = text.indexOf("\n");
    const body = text.slice(end + 1);
    if (end < 0 || text.slice(0, end) !== checksumOf(body)) throw new Error("its checksum is wrong");
    const { service: written, savedAt, endpoints } = JSON.parse(body) as Record<string, unknown>;
    if (written !== service || typeof savedAt !== "number" || !Array.isArray(endpoints)) throw new Error("it is of something else");
    return { endpoints, ageMs: Math.max(0, this.#options.clock.wallNow() - savedAt) };
  }

  #flush(): Promise<void> {
    this.#options.clock.clearTimer(this.#timer);
    this.#timer = undefined;
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    this.#writing = this.#writing.then(async () => {
      for (const [service, savedAt] of dirty) {
        try {
          await this.#write(service, JSON.stringify({ service, savedAt, endpoints: this.#sets.get(service) }));
        } catch (error) {
          this.#options.onError(service, error);
        }
      }
    });
    return this.#writing;
  }

  async #write(service: string, body: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: directoryMode });
    const path = this.#pathOf(service);
    // Processes that share the directory must not write into each other's file.
    const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
    try {
      const file = await open(temporary, "wx", fileMode);
      try {
        await file.writeFile(`${checksumOf(body)}\n${body}`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  #pathOf(service: string): string {
    // Whatever the name, one file in this directory; file systems take 255 bytes.
    const name = encodeURIComponent(service);
    return join(this.#directory, `${name.length <= maxNameLength ? name : createHash("sha256").update(name).digest("hex")}.json`);
  }
}

function checksumOf(body: string): string {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}
