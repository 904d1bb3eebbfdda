import type { Endpoint, EndpointPeer } from "../../../core/endpoint.ts";
import type { Steps } from "../../../core/json/steps.ts";
import type { LeftOut } from "../../../core/left-out.ts";
import { isRegionName } from "../../../core/text/region-name.ts";
import { type AddressRules, entryAddress } from "./entry-address.ts";
import { standingOf } from "./health.ts";
import { field, integer, text } from "./json.ts";
import { metadataOf } from "./metadata.ts";

/** Options that decide which entries of an answer become endpoints. */
export interface EntryRules extends AddressRules {
  /** All of these must be among an entry's tags. */
  readonly tags: readonly string[];
  /** `true` leaves entries with a warning out. */
  readonly onlyPassing: boolean;
  /** The certificate to expect of each, where all of them are of a Consul Connect mesh, so that they speak TLS whatever their metadata say. */
  readonly peerOf?: ((service: unknown, node: unknown) => EndpointPeer) | undefined;
}

/** The entries of an answer. */
export interface ReadEntries {
  readonly endpoints: readonly Endpoint[];
  /** The others, with the reason for each. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * The routable endpoints in an answer of `/v1/health/service/:name`. Health is aggregated here, since Consul's own `passing` filter would
 * hide instances with a warning. An invalid entry is left out, without the others. Yields after each entry, for `inTurns`.
 */
export function* endpointsOf(entries: readonly unknown[], rules: EntryRules): Steps<ReadEntries> {
  const endpoints: Endpoint[] = [];
  const leftOut: LeftOut[] = [];
  for (const entry of entries) {
    const read = readEntry(entry, rules);
    if ("reason" in read) leftOut.push(read);
    else endpoints.push(read);
    yield;
  }
  return { endpoints, leftOut };
}

function readEntry(entry: unknown, rules: EntryRules): Endpoint | LeftOut {
  const service = field(entry, "Service");
  const node = field(entry, "Node");
  const serviceId = text(field(service, "ID"));
  const nodeName = text(field(node, "Node"));
  if (serviceId === undefined || nodeName === undefined) return { reason: "no id" };
  // The id of a service is unique on its node only.
  const id = `${nodeName}/${serviceId}`;

  const tags = tagsOf(service);
  if (!rules.tags.every((tag) => tags.includes(tag))) return { id, reason: "without a tag that was asked for", withdrawn: true };

  const standing = standingOf(field(entry, "Checks"));
  const { health } = standing;
  if (health === "critical") return { id, reason: standing.reason, withdrawn: standing.isTold };
  if (health === "warning" && rules.onlyPassing) return { id, reason: "with a warning, which onlyPassing leaves out", withdrawn: true };

  const address = entryAddress(service, node, rules);
  if (typeof address === "string") return { id, reason: address };

  const meta = field(service, "Meta");
  const zone = text(field(meta, "zone")) ?? text(field(field(node, "Meta"), "zone")) ?? text(field(node, "Datacenter"));
  const region = regionOf(meta, node);
  return {
    id,
    host: address.host,
    port: address.port,
    ...(rules.peerOf !== undefined || isSecure(meta, tags) ? { secure: true } : {}),
    ...(rules.peerOf === undefined ? {} : { peer: rules.peerOf(service, node) }),
    weight: weightOf(field(field(service, "Weights"), health === "passing" ? "Passing" : "Warning")),
    ...(zone === undefined ? {} : { zone }),
    ...(region === undefined ? {} : { region }),
    metadata: metadataOf(meta, tags, nodeName),
  };
}

/** The node's metadata come first, since its operator writes them, while an instance writes those of its own service. */
function regionOf(meta: unknown, node: unknown): string | undefined {
  const stated = [field(field(node, "Meta"), "region"), field(meta, "region"), field(node, "Datacenter")];
  const region = stated.find((each) => each !== undefined);
  // What is no name of a region is a statement too, of none.
  return region === undefined || isRegionName(region) ? region : "";
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
