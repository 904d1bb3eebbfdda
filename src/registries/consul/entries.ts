import type { Endpoint } from "../../core/endpoint.ts";
import { entryAddress } from "./entry-address.ts";
import { healthOf } from "./health.ts";
import { field, integer, text } from "./json.ts";
import { metadataOf } from "./metadata.ts";

/** Which entries of an answer become endpoints, and how. */
export interface EntryRules {
  /** All of these must be among an entry's tags. */
  readonly tags: readonly string[];
  readonly onlyPassing: boolean;
  readonly addressKey: string | undefined;
}

/**
 * The routable endpoints in an answer of `/v1/health/service/:name`. Health is worked out here, since Consul's own
 * `passing` filter would hide instances with a warning. An entry that makes no sense is left out alone.
 */
export function endpointsOf(entries: readonly unknown[], rules: EntryRules): readonly Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (const entry of entries) {
    const endpoint = endpointOf(entry, rules);
    if (endpoint !== undefined) endpoints.push(endpoint);
  }
  return endpoints;
}

function endpointOf(entry: unknown, rules: EntryRules): Endpoint | undefined {
  const service = field(entry, "Service");
  const node = field(entry, "Node");
  const serviceId = text(field(service, "ID"));
  const nodeName = text(field(node, "Node"));
  if (serviceId === undefined || nodeName === undefined) return undefined;

  const tags = tagsOf(service);
  if (!rules.tags.every((tag) => tags.includes(tag))) return undefined;

  const health = healthOf(field(entry, "Checks"));
  if (health === "critical" || (health === "warning" && rules.onlyPassing)) return undefined;

  const address = entryAddress(service, node, rules.addressKey);
  if (address === undefined) return undefined;

  const meta = field(service, "Meta");
  const zone = text(field(meta, "zone")) ?? text(field(field(node, "Meta"), "zone")) ?? text(field(node, "Datacenter"));
  return {
    // A service id is unique on its node only.
    id: `${nodeName}/${serviceId}`,
    host: address.host,
    port: address.port,
    ...(isSecure(meta, tags) ? { secure: true } : {}),
    weight: weightOf(field(field(service, "Weights"), health === "passing" ? "Passing" : "Warning")),
    ...(zone === undefined ? {} : { zone }),
    metadata: metadataOf(meta, tags, nodeName),
  };
}

function tagsOf(service: unknown): readonly string[] {
  const tags = field(service, "Tags");
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [];
}

/** Consul has no field for it, so metadata says it, or a tag as many clients use it. Metadata is the more exact. */
function isSecure(meta: unknown, tags: readonly string[]): boolean {
  const secure = text(field(meta, "secure"));
  if (secure !== undefined) return secure === "true";
  return text(field(meta, "scheme")) === "https" || tags.includes("https");
}

const maxWeight = 65_535;

/** 0 becomes 1: Consul keeps it for instances that DNS shall not list, and they are healthy nevertheless. */
function weightOf(weight: unknown): number {
  return Math.min(Math.max(integer(weight) ?? 1, 1), maxWeight);
}
