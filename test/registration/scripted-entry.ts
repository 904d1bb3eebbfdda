import { MeshError } from "../../src/core/errors.ts";
import type { InstanceStatus } from "../../src/registration/registrar.ts";
import type { EntryAction, EntryCall, Recognition, RegistryEntry } from "../../src/registration/registry-entry.ts";

/** The refusal of a registry. */
export class Refused extends Error {}

/** A call of a {@link ScriptedEntry} that a test answers by hand. */
export interface HeldCall {
  readonly what: string;
  answer(recognition?: Recognition): void;
  fail(error: Error): void;
}

/** An entry in a registry that answers as a test says, and checks that the keeper makes one call at a time. */
export class ScriptedEntry implements RegistryEntry {
  readonly id = "o1";
  readonly renewMs: number;
  /** The calls that are waiting for an answer; used with `script` set to `hold`. */
  readonly held: HeldCall[] = [];
  /** Answers a call: at once with a recognition or by throwing, or `hold` to have the test answer it. */
  script: (what: string, call: EntryCall) => Recognition | "hold" = () => "known";
  #calls: string[] = [];
  #running = 0;

  constructor(renewMs = 10_000) {
    this.renewMs = renewMs;
  }

  /** The calls since this was read last, such as `announce up`. */
  calls(): string[] {
    return this.#calls.splice(0);
  }

  async announce(status: InstanceStatus, call: EntryCall): Promise<void> {
    await this.#make(`announce ${status}`, call);
  }

  report(status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    return this.#make(`report ${status}`, call);
  }

  renew(status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    return this.#make(`renew ${status}`, call);
  }

  reweigh(weight: number, status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    return this.#make(`reweigh ${weight} ${status}`, call);
  }

  async withdraw(call: EntryCall): Promise<void> {
    await this.#make("withdraw", call);
  }

  isRefusal(error: unknown): boolean {
    return error instanceof Refused;
  }

  errorOf(action: EntryAction, cause: unknown): MeshError {
    return new MeshError("ERR_MESH_REGISTRATION", `scripted: ${action} o1: ${(cause as Error).message}`, { service: "orders", cause });
  }

  async #make(what: string, call: EntryCall): Promise<Recognition> {
    call.signal?.throwIfAborted();
    this.#calls.push(call.awaited ? what : `${what} unawaited`);
    if (++this.#running > 1) throw new Error(`${what} overlaps another call`);
    try {
      const answer = this.script(what, call);
      return answer === "hold" ? await this.#hold(what, call.signal) : answer;
    } finally {
      this.#running--;
    }
  }

  #hold(what: string, signal: AbortSignal | undefined): Promise<Recognition> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => () => {
        signal?.removeEventListener("abort", onAbort);
        settle();
      };
      const onAbort = () => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.held.push({
        what,
        answer: (recognition = "known") => end(() => resolve(recognition))(),
        fail: (error) => end(() => reject(error))(),
      });
    });
  }
}
