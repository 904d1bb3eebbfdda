import { isIP } from "node:net";
import type { Endpoint, EndpointPeer } from "../core/endpoint.ts";
import { isInstanceHost } from "../core/peers/address-policy.ts";
import { parseSpiffeIdForm } from "../core/peers/spiffe-id-form.ts";
import { quoted } from "../core/text/clean-text.ts";

/** The endpoints of an answer that are safe to use, and the entries that were rejected with the reason. */
export interface ValidatedEndpoints {
  readonly endpoints: readonly Endpoint[];
  readonly rejected: readonly { readonly entry: unknown; readonly reason: string }[];
}

/** Endpoints kept of one answer, a bound on the cost of a poisoned one; the rest is rejected. */
export const maxEndpointsPerService = 10_000;

/** Entries that are looked at, so that an answer of a million holds the process for milliseconds. */
const maxLookedAt: number = 2 * maxEndpointsPerService;
/** Entries that these are chosen from, by the hash of their ids. */
const maxHashed = 200_000;

/** Characters of metadata that one endpoint may have, keys and values together. An endpoint with more loses all of it. */
const maxMetadataLength = 16_384;

/** In the place of a `socketPath` of a source that may not name any: combined sources hand entries on with it, for the mesh to report. */
export const withheldSocketPath = "";

/**
 * Checks the entries of a discovery answer one by one. The content of a registry is not trusted, since tenants write it themselves, and a
 * bad entry must not take the others with it.
 * @param allowSocketPaths whether the source may name Unix sockets of this machine, past the policy of addresses
 */
export function validateEndpoints(entries: readonly unknown[], allowSocketPaths = false): ValidatedEndpoints {
  const accepted = new Map<string, Endpoint>();
  const rejected: { entry: unknown; reason: string }[] = [];
  const lookedAt = withinBounds(entries);
  if (lookedAt.length < entries.length) {
    rejected.push({
      entry: undefined,
      reason: `${entries.length - lookedAt.length} entries were not looked at: without an id, or beyond ${maxLookedAt}`,
    });
  }
  for (const entry of lookedAt) {
    const reason = faultOf(entry, accepted, allowSocketPaths);
    if (reason === undefined) accepted.set((entry as Endpoint).id, withSaneMetadata(entry as Endpoint));
    else rejected.push({ entry, reason });
  }
  const all = [...accepted.values()];
  if (all.length <= maxEndpointsPerService) return { endpoints: all, rejected };
  const endpoints: Endpoint[] = [];
  const isKept = selection(all);
  const reason = `more than ${maxEndpointsPerService} endpoints`;
  for (const entry of all) {
    if (endpoints.length < maxEndpointsPerService && isKept(entry)) endpoints.push(entry);
    else rejected.push({ entry, reason });
  }
  return { endpoints, rejected };
}

/** The entries that are looked at: the same ones in whatever order the registry lists them, as long as there are not more than {@link maxHashed}. */
export function withinBounds<T>(entries: readonly T[]): readonly T[] {
  if (entries.length <= maxLookedAt) return entries;
  const named: T[] = [];
  const hashes: number[] = [];
  for (const entry of entries.length > maxHashed ? entries.slice(0, maxHashed) : entries) {
    const id: unknown = (entry as { id?: unknown } | null | undefined)?.id;
    if (typeof id !== "string") continue;
    named.push(entry);
    hashes.push(hashOf(id));
  }
  if (named.length <= maxLookedAt) return named;
  const highest = (2 ** 32 * maxLookedAt) / named.length;
  // About as many as that. Ids may be made to have low hashes.
  return named.filter((_entry, index) => (hashes[index] as number) < highest).slice(0, 2 * maxLookedAt);
}

function faultOf(entry: unknown, seen: ReadonlyMap<string, Endpoint>, allowSocketPaths: boolean): string | undefined {
  if (typeof entry !== "object" || entry === null) return "not an object";
  const { id, host, port, weight, priority, zone, region, secure, peer, socketPath } = entry as { [key in keyof Endpoint]: unknown };
  if (typeof id !== "string" || id === "" || id.length > 512 || hasControls(id))
    return "id is not a string of 1 to 512 characters without control characters";
  if (seen.has(id)) return `id ${quoted(id)} occurs twice`;
  if (typeof host !== "string" || !isInstanceHost(host)) return "host is neither a host name nor the IP address of an instance";
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) return "port is not an integer from 1 to 65535";
  if (weight !== undefined && (typeof weight !== "number" || !(weight >= 0 && weight <= 65_535)))
    return "weight is not a number from 0 to 65535";
  if (priority !== undefined && (typeof priority !== "number" || !(priority >= 0 && priority <= 65_535)))
    return "priority is not a number from 0 to 65535";
  if (!isShortText(zone)) return "zone is not a string of up to 255 characters without control characters";
  if (!isShortText(region)) return "region is not a string of up to 255 characters without control characters";
  if (socketPath !== undefined && (!allowSocketPaths || socketPath === withheldSocketPath))
    return "socketPath: the source may not name Unix sockets (allowSocketPaths)";
  // 107 bytes are what the kernel allows (sun_path).
  if (socketPath !== undefined && !(typeof socketPath === "string" && /^\/[^\0]{1,106}$/.test(socketPath)))
    return "socketPath is not an absolute path of up to 107 characters";
  if (secure !== undefined && typeof secure !== "boolean") return "secure is neither true nor false";
  return peer === undefined ? undefined : faultOfPeer(peer, secure);
}

/** An entry whose `peer` is wrong is rejected whole: without it, less would be demanded of the instance than the source has said. */
function faultOfPeer(peer: unknown, secure: unknown): string | undefined {
  if (typeof peer !== "object" || peer === null) return "peer is not an object";
  const { id, serverName, negotiates } = peer as { [key in keyof EndpointPeer]: unknown };
  if (typeof id !== "string" || parseSpiffeIdForm(id) === undefined) return "peer.id is not a SPIFFE id with a path";
  if (serverName !== undefined && !(typeof serverName === "string" && isIP(serverName) === 0 && isInstanceHost(serverName)))
    return "peer.serverName is not a host name";
  if (negotiates !== undefined && typeof negotiates !== "boolean") return "peer.negotiates is neither true nor false";
  return secure === true ? undefined : "peer is given, and secure is not true";
}

/** Drops metadata that is too large or not text: the instance can be reached without it. */
function withSaneMetadata(endpoint: Endpoint): Endpoint {
  const metadata: unknown = endpoint.metadata;
  if (metadata === undefined || isSaneMetadata(metadata)) return endpoint;
  const { metadata: _left, ...rest } = endpoint;
  return rest;
}

function isSaneMetadata(metadata: unknown): boolean {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) return false;
  let length = 0;
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string") return false;
    length += key.length + value.length;
    if (length > maxMetadataLength) return false;
  }
  return true;
}

function isShortText(value: unknown): boolean {
  return value === undefined || (typeof value === "string" && value.length <= 255 && !hasControls(value));
}

/** C0 controls and DEL, which would break a log line or a metric label in two. */
function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/**
 * Selects {@link maxEndpointsPerService} endpoints by a hash of their ids, so that the same ones are kept in whatever order the registry
 * lists them. Otherwise each answer would replace most of the set.
 */
function selection(endpoints: readonly Endpoint[]): (endpoint: Endpoint) => boolean {
  const numbers = Uint32Array.from(endpoints, ({ id }) => hashOf(id)).sort();
  const highest = numbers[maxEndpointsPerService - 1] as number;
  return ({ id }) => hashOf(id) <= highest;
}

/** Ids differ at an end: of longer ones, these many characters of each end count. */
const maxHashedEnd = 20;

/** FNV-1a over UTF-16 units with murmur3's finalizer, since FNV leaves ids that differ in the last digit close together. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  const middle = text.length > 2 * maxHashedEnd ? text.length - 2 * maxHashedEnd : 0;
  for (let index = 0; index < text.length; index += index === maxHashedEnd - 1 ? middle + 1 : 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
