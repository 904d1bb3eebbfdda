import type { Endpoint } from "../core/endpoint.ts";

/** A set of endpoints that is safe to use, and what was left out of it and why. */
export interface ValidatedEndpoints {
  readonly endpoints: readonly Endpoint[];
  readonly rejected: readonly { readonly entry: unknown; readonly reason: string }[];
}

/** Endpoints kept of one answer; the rest is rejected. A bound on what one poisoned answer can cost. */
export const maxEndpointsPerService = 10_000;

/**
 * Checks every entry of a discovery answer alone: registry content is not trusted, tenants write it themselves, and one
 * bad entry must not take the others with it.
 */
export function validateEndpoints(entries: readonly unknown[]): ValidatedEndpoints {
  const endpoints = new Map<string, Endpoint>();
  const rejected: { entry: unknown; reason: string }[] = [];
  for (const entry of entries) {
    const reason = endpoints.size >= maxEndpointsPerService ? `more than ${maxEndpointsPerService} endpoints` : faultOf(entry, endpoints);
    if (reason === undefined) endpoints.set((entry as Endpoint).id, entry as Endpoint);
    else rejected.push({ entry, reason });
  }
  return { endpoints: [...endpoints.values()], rejected };
}

function faultOf(entry: unknown, seen: ReadonlyMap<string, Endpoint>): string | undefined {
  if (typeof entry !== "object" || entry === null) return "not an object";
  const { id, host, port, weight, priority, zone } = entry as { [key in keyof Endpoint]: unknown };
  if (typeof id !== "string" || id === "" || id.length > 512) return "id is not a string of 1 to 512 characters";
  if (seen.has(id)) return `id ${JSON.stringify(id)} occurs twice`;
  if (typeof host !== "string" || !isHost(host)) return "host is neither a host name nor an IP address";
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) return "port is not an integer from 1 to 65535";
  if (weight !== undefined && (typeof weight !== "number" || !(weight >= 0 && weight <= 65_535)))
    return "weight is not a number from 0 to 65535";
  if (priority !== undefined && (typeof priority !== "number" || !(priority >= 0 && priority <= 65_535)))
    return "priority is not a number from 0 to 65535";
  if (zone !== undefined && typeof zone !== "string") return "zone is not a string";
  return undefined;
}

const hostPattern = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$|^[0-9A-Fa-f:.]{2,45}(%[A-Za-z0-9_.-]{1,32})?$/;
// Addresses that name no instance: unspecified, broadcast, multicast, link-local (169.254.169.254 is the cloud metadata
// service). The IPv4-mapped forms are the same addresses in another coat.
const unroutablePattern =
  /^(::ffff:)?(0\.0\.0\.0|255\.255\.255\.255|169\.254\.\d+\.\d+|(22[4-9]|23\d)\.\d+\.\d+\.\d+)$|^::$|^::ffff:(a9fe|e[0-9a-f]{3}|0):|^fe[89ab][0-9a-f]:|^ff[0-9a-f]{2}:|^fd00:ec2::254$/i;

function isHost(host: string): boolean {
  return hostPattern.test(host) && !unroutablePattern.test(host);
}
