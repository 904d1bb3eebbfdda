import type { Endpoint } from "../../core/endpoint.ts";
import type { LeftOut } from "../../core/left-out.ts";
import { type Entry, type EntryOptions, endpointOf, entriesOf, isRecord, leftOutOf, vipsOf } from "./entry.ts";

/**
 * One answer of the registry. Names are compared in upper case, as Eureka does. The entries of a service are read when it is first looked
 * up, and an invalid one is left out without the others: tenants write them themselves.
 */
export class RegistrySnapshot {
  readonly #options: EntryOptions;
  readonly #apps: ReadonlyMap<string, readonly Entry[]>;
  readonly #found = new Map<string, readonly Endpoint[]>();
  #vips: ReadonlyMap<string, readonly Entry[]> | undefined = undefined;

  /** Throws an Error when `text` is no registry. */
  constructor(text: string, options: EntryOptions) {
    this.#options = options;
    this.#apps = readApps(text);
  }

  /** Application names in lower case, as Spring's client lists them, or virtual host names as they are registered. */
  services(): readonly string[] {
    if (this.#options.by === "app") return [...this.#apps.keys()].map((name) => name.toLowerCase());
    const names = new Map<string, string>();
    for (const entry of this.#entries())
      for (const vip of vipsOf(entry)) if (!names.has(vip.toUpperCase())) names.set(vip.toUpperCase(), vip);
    return [...names.values()];
  }

  /** The instances of `service` that are UP. */
  find(service: string): readonly Endpoint[] {
    const key = service.toUpperCase();
    let found = this.#found.get(key);
    if (found === undefined) {
      found = toEndpoints(this.#entriesOf(key), this.#options);
      this.#found.set(key, found);
    }
    return found;
  }

  /** The entries of `service` that have no endpoint, with the reason for each. */
  leftOut(service: string): readonly LeftOut[] {
    return this.#entriesOf(service.toUpperCase())
      .filter((entry) => endpointOf(entry, this.#options) === undefined)
      .map(leftOutOf);
  }

  #entriesOf(key: string): readonly Entry[] {
    return (this.#options.by === "app" ? this.#apps.get(key) : this.#byVip().get(key)) ?? [];
  }

  *#entries(): Iterable<Entry> {
    for (const entries of this.#apps.values()) yield* entries;
  }

  #byVip(): ReadonlyMap<string, readonly Entry[]> {
    if (this.#vips !== undefined) return this.#vips;
    const vips = new Map<string, Entry[]>();
    for (const entry of this.#entries()) {
      for (const vip of new Set(vipsOf(entry).map((name) => name.toUpperCase()))) {
        const entries = vips.get(vip);
        if (entries === undefined) vips.set(vip, [entry]);
        else entries.push(entry);
      }
    }
    this.#vips = vips;
    return vips;
  }
}

function readApps(text: string): ReadonlyMap<string, readonly Entry[]> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message would quote the text, which may be long and hold anything.
    throw new Error("answered with something that is not JSON");
  }
  const applications = isRecord(parsed) ? parsed["applications"] : undefined;
  if (!isRecord(applications)) throw new Error("answered with JSON that is not a Eureka registry");
  const list = applications["application"];
  // The older JSON codec leaves an empty list out, but never these two.
  if (list === undefined && applications["apps__hashcode"] === undefined && applications["versions__delta"] === undefined) {
    throw new Error("answered with a registry that has no applications");
  }
  const apps = new Map<string, Entry[]>();
  for (const application of entriesOf(list)) {
    const name = application["name"];
    if (typeof name !== "string" || name === "") continue;
    const key = name.toUpperCase();
    const entries = apps.get(key) ?? [];
    apps.set(key, entries);
    for (const instance of entriesOf(application["instance"])) {
      // An entry with the name of another application is no instance of this one.
      const app = instance["app"] ?? name;
      if (typeof app === "string" && app.toUpperCase() === key) entries.push({ app: key, instance });
    }
  }
  return apps;
}

function toEndpoints(entries: readonly Entry[], options: EntryOptions): readonly Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  for (const entry of entries) {
    const endpoint = endpointOf(entry, options);
    if (endpoint === undefined) continue;
    // Ids are unique within an application; a virtual host name may span several.
    const id = endpoints.has(endpoint.id) ? `${entry.app}/${endpoint.id}` : endpoint.id;
    endpoints.set(id, id === endpoint.id ? endpoint : { ...endpoint, id });
  }
  return [...endpoints.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
