import type { Timer } from "../../core/clock.ts";
import type { Credentials } from "../credentials.ts";
import type { IdentityListener, IdentitySource, IdentityWatch } from "../identity-source.ts";
import { discrepancyOf, isSame, readCredentials } from "./credential-files.ts";
import { type FileIdentityOptions, type FileIdentitySettings, settleFileIdentity } from "./file-options.ts";

/** The pause before files that changed, or do not belong together, are read again, in milliseconds. */
const rereadMs = 50;
/** Readings after which files that do not belong together are a failure, and no longer a replacement under way. */
const patientReadings = 20;

/**
 * The identity in files, which are read again all the time: a new certificate takes effect without a restart. Certificate, key and authorities change
 * together or not at all: files that do not belong together, are half written or change while they are read are read again until they do.
 * @throws TypeError or RangeError on wrong options; reads no file yet.
 */
export function fileIdentity(options: FileIdentityOptions): IdentitySource {
  const settings = settleFileIdentity(options);
  return { name: "files", watch: (listener) => new FileWatch(settings, listener) };
}

class FileWatch implements IdentityWatch {
  readonly #settings: FileIdentitySettings;
  readonly #listener: IdentityListener;
  #timer: Timer = undefined;
  #isClosed = false;
  /** The files as they were told last, and as they were read last. */
  #told: Credentials | undefined = undefined;
  #read: Credentials | undefined = undefined;
  /** Readings in a row of files that do not belong together. */
  #mismatches = 0;

  constructor(settings: FileIdentitySettings, listener: IdentityListener) {
    this.#settings = settings;
    this.#listener = listener;
    this.#again(0);
  }

  close(): void {
    this.#isClosed = true;
    this.#settings.clock.clearTimer(this.#timer);
  }

  #again(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#settings.clock.setTimer(() => void this.#look(), delayMs, false);
  }

  async #look(): Promise<void> {
    const { pollMs } = this.#settings;
    try {
      const found = await readCredentials(this.#settings);
      if (this.#isClosed) return;
      this.#again(this.#judge(found) ? pollMs : Math.min(pollMs, rereadMs));
    } catch (error) {
      if (this.#isClosed) return;
      this.#read = undefined;
      this.#listener.fail(error as Error);
      this.#again(pollMs);
    }
  }

  /** Tells what has been read where it is new, whole and the same in two readings. Returns whether there is time until the next reading. */
  #judge(found: Credentials): boolean {
    const before = this.#read;
    this.#read = found;
    if (this.#told !== undefined && isSame(this.#told, found)) {
      this.#mismatches = 0;
      return true;
    }
    const problem = discrepancyOf(found);
    if (problem !== undefined) {
      this.#mismatches++;
      if (this.#mismatches < patientReadings) return false;
      this.#listener.fail(new Error(`the files of the identity do not belong together: ${problem} (${this.#settings.cert})`));
      return true;
    }
    // A second reading shows that nothing was being replaced meanwhile.
    if (before === undefined || !isSame(before, found)) return false;
    this.#mismatches = 0;
    this.#told = found;
    this.#listener.update(found);
    return true;
  }
}
