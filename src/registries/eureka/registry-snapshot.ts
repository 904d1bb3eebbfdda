import type { Endpoint } from "../../core/endpoint.ts";
import { inTurns } from "../../core/json/in-turns.ts";
import type { Span } from "../../core/json/json-scanner.ts";
import type { Steps } from "../../core/json/steps.ts";
import type { LeftOut } from "../../core/left-out.ts";
import { withinBounds } from "../../discovery/validate.ts";
import { type EntryOptions, endpointOf, leftOutOf, vipsOf } from "./entry.ts";
import { findPlaces, type Places, readInstance } from "./registry-text.ts";

/** Entries of a service that are read. */
const maxRead = 100_000;

/** An instance's place in the text, and the application that lists it. */
interface Place {
  readonly app: string;
  readonly span: Span;
}

/** The entries of one service. */
export interface FoundService {
  /** Those that are UP and have an address. */
  readonly endpoints: readonly Endpoint[];
  /** The others, with the reason for each. */
  readonly leftOut: readonly LeftOut[];
}

/** Places of instances by virtual host name in upper case, with the name as it is written. */
type VipPlaces = ReadonlyMap<string, { readonly name: string; readonly places: readonly Place[] }>;

/**
 * One answer of the registry. Names are compared in upper case, as Eureka does. The entries of a service are read when it is first looked
 * up, and an invalid one is left out without the others: tenants write them themselves. A large answer is read a few milliseconds at a time.
 */
export class RegistrySnapshot {
  readonly #text: Buffer;
  readonly #options: EntryOptions;
  readonly #apps: Places;
  readonly #vips: VipPlaces;
  readonly #found = new Map<string, Promise<FoundService>>();

  private constructor(text: Buffer, options: EntryOptions, apps: Places, vips: VipPlaces) {
    this.#text = text;
    this.#options = options;
    this.#apps = apps;
    this.#vips = vips;
  }

  /** Reads the answer about all applications, or about one. Rejects when `text` is neither, or with the signal's reason. */
  static async read(text: Buffer, options: EntryOptions, signal?: AbortSignal): Promise<RegistrySnapshot> {
    const apps = await inTurns(findPlaces(text), signal);
    const vips = options.by === "vip" ? await inTurns(placesByVip(text, apps), signal) : new Map();
    return new RegistrySnapshot(text, options, apps, vips);
  }

  /** Length of the answer in bytes. */
  get size(): number {
    return this.#text.byteLength;
  }

  /** Application names in lower case, as Spring's client lists them, or virtual host names as they are registered. */
  services(): readonly string[] {
    if (this.#options.by === "app") return [...this.#apps.keys()].map((name) => name.toLowerCase());
    return [...this.#vips.values()].map(({ name }) => name);
  }

  /** The entries of `service`; the same result each time. */
  find(service: string): Promise<FoundService> {
    const key = service.toUpperCase();
    let found = this.#found.get(key);
    if (found === undefined) {
      found = inTurns(this.#read(key));
      this.#found.set(key, found);
    }
    return found;
  }

  *#read(key: string): Steps<FoundService> {
    const endpoints = new Map<string, Endpoint>();
    const leftOut: LeftOut[] = [];
    const places = this.#placesOf(key);
    if (places.length > maxRead) leftOut.push({ reason: `${places.length - maxRead} entries were not read: beyond ${maxRead}` });
    for (const { app, span } of places.slice(0, maxRead)) {
      yield;
      const instance = yield* readInstance(this.#text, span, app);
      if (instance === undefined) continue;
      const entry = { app, instance };
      const endpoint = endpointOf(entry, this.#options);
      if (endpoint === undefined) {
        leftOut.push(leftOutOf(entry));
        continue;
      }
      // Ids are unique within an application; a virtual host name may span several.
      const id = endpoints.has(endpoint.id) ? `${app}/${endpoint.id}` : endpoint.id;
      endpoints.set(id, id === endpoint.id ? endpoint : { ...endpoint, id });
    }
    const all = [...endpoints.values()];
    const kept = [...withinBounds(all)];
    if (kept.length < all.length) leftOut.push({ reason: `${all.length - kept.length} entries were not looked at: there are too many` });
    return { endpoints: kept.sort((a, b) => (a.id < b.id ? -1 : 1)), leftOut };
  }

  #placesOf(key: string): readonly Place[] {
    if (this.#options.by === "vip") return this.#vips.get(key)?.places ?? [];
    return (this.#apps.get(key) ?? []).map((span) => ({ app: key, span }));
  }
}

function* placesByVip(text: Buffer, apps: Places): Steps<VipPlaces> {
  const vips = new Map<string, { name: string; places: Place[] }>();
  for (const [app, spans] of apps) {
    for (const span of spans) {
      yield;
      const instance = yield* readInstance(text, span, app);
      if (instance === undefined) continue;
      const names = new Map(vipsOf({ app, instance }).map((name) => [name.toUpperCase(), name]));
      for (const [key, name] of names) {
        const known = vips.get(key) ?? { name, places: [] };
        vips.set(key, known);
        known.places.push({ app, span });
      }
    }
  }
  return vips;
}
