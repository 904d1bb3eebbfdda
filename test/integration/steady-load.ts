import { setTimeout as sleep } from "node:timers/promises";
import type { Mesh } from "../../src/index.ts";

/** Calls a service at a steady rate, whatever becomes of the calls (open loop), and keeps what failed. */
export class SteadyLoad {
  readonly failures: unknown[] = [];
  answered = 0;
  readonly #mesh: Mesh;
  readonly #target: string;
  readonly #timer: NodeJS.Timeout;
  readonly #calls = new Set<Promise<void>>();

  constructor(mesh: Mesh, target: string, perSecond = 50) {
    this.#mesh = mesh;
    this.#target = target;
    this.#timer = setInterval(() => this.#call(), 1_000 / perSecond);
  }

  /** Lets the load run on for a while: what is being waited for is time passing under load. */
  async runFor(ms: number): Promise<void> {
    const before = this.answered;
    await sleep(ms);
    if (this.answered === before && this.failures.length === 0) throw new Error(`no call was answered within ${ms} ms`);
  }

  /** Ends the load and resolves when every call has settled. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#calls);
  }

  #call(): void {
    const call = this.#mesh
      .fetch(this.#target)
      .then(async (response) => {
        await response.text();
        if (response.ok) this.answered++;
        else this.failures.push(response.status);
      })
      .catch((error: unknown) => {
        this.failures.push(error);
      })
      .finally(() => this.#calls.delete(call));
    this.#calls.add(call);
  }
}
