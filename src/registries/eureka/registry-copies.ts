import { RegistryCopy, type RegistryCopyOptions } from "./registry-copy.ts";
import type { RegistrySnapshot } from "./registry-snapshot.ts";

type Fetch<T> = RegistryCopyOptions<T>["fetch"];

/** Options of {@link RegistryCopies}. */
export interface RegistryCopiesOptions extends Omit<RegistryCopyOptions<RegistrySnapshot>, "fetch" | "dueAt"> {
  readonly fetchAll: Fetch<RegistrySnapshot>;
  /** Fetches one application; resolves with `undefined` when only the whole registry tells whether it is there. Absent where there are none. */
  readonly fetchOne?: ((app: string, call: Parameters<Fetch<RegistrySnapshot>>[0]) => Promise<RegistrySnapshot | undefined>) | undefined;
}

/** A larger registry is fetched by application while few are watched, in bytes. */
const largeBytes = 2 ** 20;
/** Most applications that are fetched one by one. */
const maxSingle = 8;

/**
 * The copies of the registry that the watches share: one of the whole, or, while the registry is large and few services are watched, one
 * of each of these.
 */
export class RegistryCopies {
  readonly #options: RegistryCopiesOptions;
  readonly #whole: RegistryCopy<RegistrySnapshot>;
  readonly #single = new Map<string, RegistryCopy<RegistrySnapshot>>();
  /** The number of watches by application, in upper case. */
  readonly #watches = new Map<string, number>();
  #isLarge = false;

  constructor(options: RegistryCopiesOptions) {
    this.#options = options;
    this.#whole = new RegistryCopy({
      ...options,
      fetch: async (call) => {
        const snapshot = await options.fetchAll(call);
        this.#isLarge = snapshot.size > largeBytes;
        return snapshot;
      },
    });
  }

  /** Begins a watch of `service`. Returns a function that ends it. */
  enter(service: string): () => void {
    const app = service.toUpperCase();
    this.#watches.set(app, (this.#watches.get(app) ?? 0) + 1);
    return () => {
      const left = (this.#watches.get(app) ?? 1) - 1;
      if (left > 0) this.#watches.set(app, left);
      else {
        this.#watches.delete(app);
        this.#single.delete(app);
      }
    };
  }

  /** A copy for a watch that begins, see {@link RegistryCopy.first}. */
  first(service: string, signal: AbortSignal): Promise<RegistrySnapshot> {
    // A copy that lists the service is enough. For one that does not, a new copy is fetched: the service may have started since.
    const lists = async (known: RegistrySnapshot) => (await known.find(service)).endpoints.length > 0;
    return this.#copyOf(service).first(lists, signal);
  }

  /** A copy newer than `known`, see {@link RegistryCopy.next}. */
  next(service: string, known: RegistrySnapshot, signal: AbortSignal): Promise<RegistrySnapshot> {
    return this.#copyOf(service).next(known, signal);
  }

  /** A copy of the whole registry. */
  all(signal: AbortSignal): Promise<RegistrySnapshot> {
    return this.#whole.first(() => true, signal);
  }

  /** Makes the next fetch of `service` due, see {@link RegistryCopy.refresh}. */
  refresh(service: string): void {
    this.#copyOf(service).refresh();
  }

  /** Drops the copies. */
  forget(): void {
    this.#whole.forget();
    this.#single.clear();
  }

  #copyOf(service: string): RegistryCopy<RegistrySnapshot> {
    const { fetchOne } = this.#options;
    const app = service.toUpperCase();
    // Other names are no part of a path that every server leaves as it is.
    const isSingle = this.#isLarge && this.#watches.size <= maxSingle && /^[\w-][\w.-]*$/.test(app);
    if (fetchOne === undefined || !isSingle) return this.#whole;
    let copy = this.#single.get(app);
    if (copy === undefined) {
      const fetch: Fetch<RegistrySnapshot> = async (call) => (await fetchOne(app, call)) ?? (await this.all(call.signal));
      copy = new RegistryCopy({ ...this.#options, fetch, dueAt: this.#whole.dueAt });
      this.#single.set(app, copy);
    }
    return copy;
  }
}
