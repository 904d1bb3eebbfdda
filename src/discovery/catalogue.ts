import type { Clock } from "../core/clock.ts";
import { nearestName } from "../suggestions/nearest-name.ts";
import type { Discovery } from "./discovery.ts";

/** Upper bound of a query: a message must not be late for the sake of a suggestion. */
const patienceMs = 250;
/** How long a catalogue is used. Unknown names may be called thousands of times a second. */
const freshMs = 10_000;
/** The same where a name decides whether it may be called, so that a service that was registered a moment ago may be. */
const newFreshMs = 1_000;
const maxKept = 1_000;
/** Names kept of a catalogue, and the length of one. */
const maxNames = 10_000;
const maxNameLength = 255;

/** The registry's catalogue, for "did you mean" in messages. It is fetched on demand, by one query at a time. */
export class Catalogue {
  readonly #discovery: Discovery;
  readonly #clock: Clock;
  #names: Promise<Names | undefined> | undefined = undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Results by the name that was looked up: a catalogue may be long. */
  #nearest = new Map<string, string | undefined>();

  constructor(discovery: Discovery, clock: Clock) {
    this.#discovery = discovery;
    this.#clock = clock;
  }

  /**
   * The name nearest to `service`, if it is near enough to be a likely typing error. Never rejects, and takes a quarter of a second at
   * most.
   */
  async nearest(service: string): Promise<string | undefined> {
    if (this.#discovery.services === undefined) return undefined;
    const names = await this.#current(freshMs);
    if (this.#nearest.has(service)) return this.#nearest.get(service);
    const nearest = nearestName(service, names?.list ?? []);
    if (this.#nearest.size < maxKept) this.#nearest.set(service, nearest);
    return nearest;
  }

  /** Whether the registry has a service of this name, in whatever case; `undefined` where it does not tell. Never rejects. */
  async lists(service: string): Promise<boolean | undefined> {
    if (this.#discovery.services === undefined) return undefined;
    return (await this.#current(newFreshMs))?.folded.has(service.toLowerCase());
  }

  #current(maxAgeMs: number): Promise<Names | undefined> {
    if (this.#names === undefined || this.#clock.now() - this.#askedAt > maxAgeMs) {
      this.#askedAt = this.#clock.now();
      this.#names = namesOf(this.#discovery);
      this.#nearest.clear();
    }
    return this.#names;
  }
}

interface Names {
  readonly list: readonly string[];
  /** In lower case. */
  readonly folded: ReadonlySet<string>;
}

/** `undefined` where the registry does not answer in time. */
async function namesOf(discovery: Discovery): Promise<Names | undefined> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), patienceMs);
  try {
    const gaveUp = new Promise<undefined>((resolve) =>
      controller.signal.addEventListener("abort", () => resolve(undefined), { once: true }),
    );
    const names = await Promise.race([discovery.services?.(controller.signal), gaveUp]);
    if (names === undefined) return undefined;
    const list: string[] = [];
    for (const name of names) if (list.length < maxNames && typeof name === "string" && name.length <= maxNameLength) list.push(name);
    return { list, folded: new Set(list.map((name) => name.toLowerCase())) };
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}
