import type { Endpoint } from "../../../core/endpoint.ts";
import { entryAddress } from "./entry-address.ts";
import { healthOf } from "./health.ts";
import { field, integer, text } from "./json.ts";
import { metadataOf } from "./metadata.ts";

/** Options that decide which entries of an answer become endpoints. */
export interface EntryRules {
  /** All of these must be among an entry's tags. */
  readonly tags: readonly string[];
  /** `true` leaves entries with a warning out. */
  readonly onlyPassing: boolean;
  /** The tagged address to prefer. */
  readonly addressKey: string | undefined;
}

/**
 * The routable endpoints in an answer of `/v1/health/service/:name`. Health is aggregated here, since Consul's own `passing` filter would
 * hide instances with a warning. An invalid entry is left out, without the others.
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
    // The id of a service is unique on its node only.
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

/** Consul has no field for TLS: it is in the metadata, or in a tag that many clients use. Metadata takes precedence. */
function isSecure(meta: unknown, tags: readonly string[]): boolean {
  const secure = text(field(meta, "secure"));
  if (secure !== undefined) return secure === "true";
  return text(field(meta, "scheme")) === "https" || tags.includes("https");
}

const maxWeight = 65_535;

/** 0 becomes 1: in Consul it hides an instance from DNS only, and the instance is healthy. */
function weightOf(weight: unknown): number {
  return Math.min(Math.max(integer(weight) ?? 1, 1), maxWeight);
}
