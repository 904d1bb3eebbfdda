import { addressOf, type Endpoint } from "../../core/endpoint.ts";
import { resultOf, type Steps } from "../../core/json/steps.ts";
import { cleanText, quoted } from "../../core/text/clean-text.ts";
import { validateEndpoints } from "../validate.ts";

/** An instance in a list written by hand: an {@link Endpoint} whose `id` may be left out; it is `host:port` then. */
export interface ListedEndpoint extends Omit<Endpoint, "id"> {
  readonly id?: string;
}

/** Services by name, each with all of its instances. */
export type ServiceList = Readonly<Record<string, readonly ListedEndpoint[]>>;

/**
 * Checks a list written by hand and fills in ids. Unlike an answer of a registry it is refused as a whole when one entry is wrong, with a
 * `TypeError` that begins with `where` and names service, entry and value.
 */
export function readServiceList(list: unknown, where: string): ReadonlyMap<string, readonly Endpoint[]> {
  return resultOf(serviceListOf(list, where));
}

/** The same in steps, for `inTurns`: a file may have hundreds of thousands of entries. */
export function* serviceListOf(list: unknown, where: string): Steps<ReadonlyMap<string, readonly Endpoint[]>> {
  if (!isObject(list)) throw new TypeError(`${where}: expected an object with a list of instances per service, got ${kindOf(list)}`);
  const services = new Map<string, readonly Endpoint[]>();
  for (const service of Object.keys(list)) {
    const entries = list[service];
    if (service === "") throw new TypeError(`${where}: a service has an empty name`);
    if (!Array.isArray(entries)) throw new TypeError(`${where}: ${cleanText(service)} must be a list of instances, got ${kindOf(entries)}`);
    services.set(service, yield* endpointsOf(entries, `${where}: ${service}`));
    yield;
  }
  return services;
}

/** Checks the instances of one service in the same way. */
export function readEndpoints(entries: readonly unknown[], where: string): readonly Endpoint[] {
  return resultOf(endpointsOf(entries, where));
}

function* endpointsOf(entries: readonly unknown[], where: string): Steps<readonly Endpoint[]> {
  const candidates: Endpoint[] = [];
  for (const entry of entries) {
    candidates.push(withId(entry, `${where}[${candidates.length}]`));
    yield;
  }
  const { endpoints, rejected } = validateEndpoints(candidates, true);
  const [fault] = rejected;
  if (fault) {
    const index = candidates.indexOf(fault.entry as Endpoint);
    throw new TypeError(`${where}[${index}]: ${fault.reason}: ${show(fault.entry)}`);
  }
  return Object.freeze(endpoints);
}

const maxShown = 100;
const fields: ReadonlySet<string> = new Set([
  "id",
  "host",
  "port",
  "secure",
  "peer",
  "weight",
  "zone",
  "region",
  "priority",
  "metadata",
  "socketPath",
]);

function withId(entry: unknown, where: string): Endpoint {
  if (!isObject(entry)) throw new TypeError(`${where}: expected { host, port }, got ${show(entry)}`);
  const given = Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
  // A misspelt field that is ignored, such as `wieght`, would be found in production.
  const unknown = Object.keys(given).find((field) => !fields.has(field));
  if (unknown !== undefined) throw new TypeError(`${where}: unknown field ${quoted(unknown)}; known are ${[...fields].join(", ")}`);
  const { host, port, secure, metadata } = given;
  if (secure !== undefined && typeof secure !== "boolean")
    throw new TypeError(`${where}: secure must be true or false, got ${show(secure)}`);
  if (metadata !== undefined && !(isObject(metadata) && Object.values(metadata).every((value) => typeof value === "string"))) {
    throw new TypeError(`${where}: metadata must be an object of strings, got ${show(metadata)}`);
  }
  const id = typeof host === "string" && typeof port === "number" ? addressOf({ host, port }) : "?";
  // The other fields are checked by `validateEndpoints`, as those of every registry are.
  return Object.freeze({ id, ...given }) as Endpoint;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The kind of a value where services, or their lists, are expected: the file may be another one than was meant, with a token in it. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return `an object with ${cleanText(Object.keys(value).slice(0, 10).join(", ")).slice(0, 200) || "nothing"}`;
  return typeof value === "string" ? "a text" : String(value);
}

/** Only the first values: a list that is wrong may be a large one. */
function show(value: unknown): string {
  let shown = 0;
  // JSON shows NaN and Infinity as null.
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (++shown > maxShown) return undefined;
    return typeof inner === "number" && !Number.isFinite(inner) ? String(inner) : inner;
  });
  return text === undefined ? String(value) : cleanText(text.slice(0, 200));
}
