import type { Endpoint } from "../../core/endpoint.ts";
import { checkInteger, checkKeys, checkNumber, checkObject, checkText, refuseOption } from "../../core/settings/checks.ts";
import { isRegionName, regionNameRule } from "../../core/text/region-name.ts";
import { checkedAnswer } from "../checked-answer.ts";
import { type Discovery, type DiscoveryAnswer, nameOf } from "../discovery.ts";
import { requireDiscovery } from "./sources.ts";

/** The place of all that a source lists, and what else is said of it; see {@link located}. At least one of them must be given. */
export interface Location {
  /** The region of its instances, as a `boundary` names it. */
  readonly region?: string;
  /** The zone of its instances. */
  readonly zone?: string;
  /** The priority of its instances; lower is preferred. The source's own priorities are lost. */
  readonly priority?: number;
  /** The weight of each of its instances, 0 to 65535. The source's own weights are lost. */
  readonly weight?: number;
  /** The metadata of its instances, in place of the source's. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const known: readonly (keyof Location)[] = ["region", "zone", "priority", "weight", "metadata"];

/**
 * The endpoints of `source` with this region, zone, priority, weight or metadata in place of whatever the source says: for a source that does not know where its
 * instances are, such as DNS, or may not be believed. With priorities, a `union` of the registries of several regions prefers the nearest one.
 * Throws a `TypeError` or `RangeError` on wrong arguments.
 */
export function located(source: Discovery, location: Location): Discovery {
  requireDiscovery(source, "located: source");
  const place = placeOf(location);
  const { services, refresh, emptyPolicy, allowSocketPaths, combines } = source;
  return {
    name: nameOf(source),
    ...(emptyPolicy === undefined ? {} : { emptyPolicy }),
    ...(allowSocketPaths === undefined ? {} : { allowSocketPaths }),
    ...(combines === undefined ? {} : { combines }),
    ...(services === undefined ? {} : { services: (signal: AbortSignal) => services.call(source, signal) }),
    ...(refresh === undefined ? {} : { refresh: (service: string) => refresh.call(source, service) }),
    async *watch(service, signal, pace) {
      let listed: readonly Endpoint[] | undefined;
      let endpoints: readonly Endpoint[] = [];
      for await (const yielded of source.watch(service, signal, pace)) {
        const answer: DiscoveryAnswer = checkedAnswer(yielded, source, service);
        // The same array confirms the last answer.
        if (answer.endpoints !== listed) endpoints = answer.endpoints.map((endpoint) => placed(endpoint, place));
        listed = answer.endpoints;
        yield { ...answer, endpoints };
      }
    },
    close: () => source.close?.(),
  };
}

/** Entries that are no endpoints are rejected by the watcher, as they are. */
function placed(endpoint: Endpoint, place: Location): Endpoint {
  return typeof endpoint === "object" && endpoint !== null ? { ...endpoint, ...place } : endpoint;
}

function placeOf(location: Location): Location {
  if (location === undefined) throw new TypeError(`located needs a region, a zone or a priority: located(source, { region: "eu-west-1" })`);
  checkObject("located: location", location);
  checkKeys("located", location, known);
  const { region, zone, priority, weight, metadata } = location;
  if (region !== undefined && !isRegionName(region)) refuseOption("located: region", region, regionNameRule);
  checkText("located: zone", zone);
  checkInteger("located: priority", priority, 0, 65_535);
  checkNumber("located: weight", weight, 0, 65_535);
  if (metadata !== undefined) checkObject("located: metadata", metadata);
  for (const [name, value] of Object.entries(metadata ?? {})) checkText(`located: metadata.${name}`, value);
  const place = Object.fromEntries(Object.entries({ region, zone, priority, weight, metadata }).filter(([, value]) => value !== undefined));
  if (Object.keys(place).length === 0)
    throw new TypeError("located needs a region, a zone, a priority, a weight or metadata, and has none of them");
  return place;
}
