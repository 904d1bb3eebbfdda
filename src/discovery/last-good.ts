import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock, Timer } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { describeError, MeshError } from "../core/errors.ts";

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
  readonly clock: Clock;
  /** Called when a file could not be written. */
  readonly onError: (service: string, error: unknown) => void;
}

/** Changes within this time are written once. */
const settleMs = 1_000;
const maxNameLength = 200;
const maxBytes = 32 * 1024 * 1024;
/** For the user of the process only: a file decides where requests go. */
const fileMode = 0o600;
const directoryMode = 0o700;

/**
 * The last good endpoints of each service, in a file each, so that a process that starts while the registry is down knows where to send
 * its calls. A file is written under another name and renamed, so that a reader never sees half of it, and has a checksum, so that a
 * damaged one is not used.
 */
export class LastGood {
  readonly #options: LastGoodOptions;
  readonly #directory: string;
  /** The newest set of each service. */
  readonly #sets = new Map<string, readonly Endpoint[]>();
  /** When a set was saved that has not been written yet. */
  readonly #dirty = new Map<string, number>();
  #timer: Timer | undefined = undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: LastGoodOptions) {
    this.#options = options;
    this.#directory = resolve(options.directory);
  }

  /** Saves a set that is not empty. It is written within a second or so, and on {@link close}. */
  save(service: string, endpoints: readonly Endpoint[]): void {
    if (endpoints.length === 0 || this.#sets.get(service) === endpoints) return;
    this.#sets.set(service, endpoints);
    this.#dirty.set(service, this.#options.clock.wallNow());
    this.#timer ??= this.#options.clock.setTimer(() => void this.#flush(), settleMs, false);
  }

  /**
   * The endpoints that were written for `service`; `undefined` where there is no file. Rejects with `ERR_MESH_DISCOVERY` where the file is
   * damaged, or other users may write it.
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
    // Processes that share the directory must not write to the same file.
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
    // Encoded, so that every name is one file in this directory. File systems allow 255 bytes.
    const name = encodeURIComponent(service);
    return join(this.#directory, `${name.length <= maxNameLength ? name : createHash("sha256").update(name).digest("hex")}.json`);
  }
}

function checksumOf(body: string): string {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}
