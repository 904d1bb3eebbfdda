import type { Clock } from "../core/clock.ts";
import type { Discovery } from "./discovery.ts";
import { nearestName } from "./nearest-name.ts";

/** Upper bound of a query: a message must not be late for the sake of a suggestion. */
const patienceMs = 250;
/** How long a catalogue is used. Unknown names may be called thousands of times a second. */
const freshMs = 10_000;
const maxKept = 1_000;

/** The registry's catalogue, for "did you mean" in messages. It is fetched on demand, by one query at a time. */
export class Catalogue {
  readonly #discovery: Discovery;
  readonly #clock: Clock;
  #names: Promise<readonly string[]> | undefined = undefined;
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
    if (this.#names === undefined || this.#clock.now() - this.#askedAt > freshMs) {
      this.#askedAt = this.#clock.now();
      this.#names = namesOf(this.#discovery);
      this.#nearest.clear();
    }
    if (this.#nearest.has(service)) return this.#nearest.get(service);
    const nearest = nearestName(service, await this.#names);
    if (this.#nearest.size < maxKept) this.#nearest.set(service, nearest);
    return nearest;
  }
}

async function namesOf(discovery: Discovery): Promise<readonly string[]> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), patienceMs);
  try {
    const gaveUp = new Promise<readonly string[]>((resolve) =>
      controller.signal.addEventListener("abort", () => resolve([]), { once: true }),
    );
    const names = await Promise.race([discovery.services?.(controller.signal) ?? [], gaveUp]);
    return names.filter((name) => typeof name === "string");
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}
