import type { Endpoint } from "../core/endpoint.ts";
import { Notifier } from "../discovery/notifier.ts";

/** One array for every unknown service, so that the same array confirms it. */
const none: readonly Endpoint[] = Object.freeze([]);

/** The lists of a registry in memory, and the watches of them. */
export class MemoryStore {
  readonly #lists = new Map<string, readonly Endpoint[]>();
  readonly #changes = new Notifier();
  #failure: Error | undefined = undefined;
  #watches = 0;

  /** The number of open watches. */
  get watches(): number {
    return this.#watches;
  }

  /** The error that everything fails with; `undefined` while the registry is well. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Yields the current set, then the set after each change. Throws while the registry fails. */
  async *watch(service: string, signal: AbortSignal): AsyncGenerator<readonly Endpoint[], void, undefined> {
    this.#watches += 1;
    try {
      let last: readonly Endpoint[] | undefined;
      while (!signal.aborted) {
        if (this.#failure) throw this.#failure;
        const current = this.endpoints(service);
        if (current === last) {
          await this.#changes.wait(signal);
        } else {
          last = current;
          yield current;
        }
      }
    } finally {
      this.#watches -= 1;
    }
  }

  /** The services that have an instance. Throws while the registry fails. */
  services(): readonly string[] {
    if (this.#failure) throw this.#failure;
    return [...this.#lists.keys()];
  }

  endpoints(service: string): readonly Endpoint[] {
    return this.#lists.get(service) ?? none;
  }

  replace(service: string, endpoints: readonly Endpoint[]): void {
    if (endpoints.length === 0) this.#lists.delete(service);
    else this.#lists.set(service, endpoints);
    this.#changes.notify();
  }

  /** Lists `endpoint`, in place of one with the same id. */
  put(service: string, endpoint: Endpoint): void {
    this.replace(service, [...this.endpoints(service).filter(({ id }) => id !== endpoint.id), endpoint]);
  }

  /** Removes what `isGone` holds for; `false` when there is none. */
  remove(service: string, isGone: (endpoint: Endpoint) => boolean): boolean {
    const before = this.endpoints(service);
    const rest = before.filter((endpoint) => !isGone(endpoint));
    if (rest.length === before.length) return false;
    this.replace(service, rest);
    return true;
  }

  /** Loses all lists. */
  clear(): void {
    this.#lists.clear();
    this.#changes.notify();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#changes.notify();
  }

  heal(): void {
    this.#failure = undefined;
    this.#changes.notify();
  }
}
