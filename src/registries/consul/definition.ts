import { hostname } from "node:os";
import { inspect } from "node:util";
import { addressOf } from "../../core/endpoint.ts";
import { entryNameRule, isEntryName } from "../../registration/entry-name.ts";
import type { HealthCheck, Instance } from "../../registration/registrar.ts";

/** The registration of an instance, in the terms of the npm client. */
export interface Definition {
  readonly id: string;
  readonly checkId: string;
  readonly check: HealthCheck;
  /** Time between two renewals, in milliseconds. */
  readonly renewMs: number;
  /** Options of `agent.service.register`, without the check. */
  readonly service: Readonly<Record<string, unknown>>;
  /** The check, without its status. */
  readonly serviceCheck: Readonly<Record<string, unknown>>;
  readonly weight: number;
}

// Limits of Consul.
const maxMetadata = 64;
const maxMetadataText = 512;

const defaultTtlMs = 15_000;
const defaultIntervalMs = 10_000;
const defaultTimeoutMs = 3_000;
/** Time between two looks whether the agent still has an instance that Consul itself checks. */
const presenceCheckMs = 5_000;
const maxMs = 86_400_000;

/**
 * Checks `instance` and translates it; throws a `TypeError` or `RangeError` that names the wrong field and its value.
 * @param isConnect whether instances that speak TLS speak that of the Consul Connect mesh
 */
export function definitionOf(instance: Instance, deregisterAfterMs: number, isConnect = false): Definition {
  const { service, port, host, secure, weight = 1, zone, tags = [], metadata = {}, check = { type: "ttl" } } = instance;
  if (!isEntryName(service)) refuse("service", service, entryNameRule);
  inRange("port", port, 1, 65_535);
  inRange("weight", weight, 1, 65_535);
  if (host !== undefined && (typeof host !== "string" || !/^[^\s/@[\]]+$/.test(host)))
    refuse("host", host, "an address without brackets or a host name");
  const id = instance.id ?? `${service}-${host ?? hostname()}-${port}`;
  if (!isEntryName(id)) refuse("id", id, entryNameRule);
  checkMetadata({ ...metadata, ...(zone === undefined ? {} : { zone }), ...(secure === undefined ? {} : { secure: String(secure) }) });
  const checkId = `service:${id}`;
  return {
    id,
    checkId,
    check,
    renewMs: check.type === "ttl" ? ttlOf(check) / 3 : presenceCheckMs,
    service: {
      name: service,
      id,
      port,
      ...(host === undefined ? {} : { address: host }),
      tags: [...tags],
      meta: { ...metadata, ...(zone === undefined ? {} : { zone }), ...(secure === undefined ? {} : { secure: String(secure) }) },
      ...(isConnect && secure === true ? { connect: { native: true } } : {}),
    },
    serviceCheck: {
      checkid: checkId,
      name: `${service} at port ${port}`,
      deregistercriticalserviceafter: milliseconds(deregisterAfterMs),
      ...probeOf(check, host ?? "127.0.0.1", port),
    },
    weight: Math.round(weight),
  };
}

/** Refuses what Consul would refuse, again and again where it is registered in the background. */
function checkMetadata(metadata: Readonly<Record<string, unknown>>): void {
  const entries = Object.entries(metadata);
  if (entries.length > maxMetadata) refuse("metadata", entries.length, `at most ${maxMetadata} entries, with those for zone and secure`);
  for (const [name, value] of entries) {
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(name)) refuse("the name of metadata", name, "1 to 128 letters, digits, - and _");
    if (/^consul-/i.test(name)) refuse("the name of metadata", name, 'a name that does not begin with "consul-", which is Consul\'s own');
    if (typeof value !== "string" || value.length > maxMetadataText)
      refuse(`metadata.${name}`, value, `a string of at most ${maxMetadataText} characters`);
  }
}

function ttlOf(check: Extract<HealthCheck, { type: "ttl" }>): number {
  return inRange("check.ttlMs", check.ttlMs ?? defaultTtlMs, 100, maxMs);
}

/** The part of a check that depends on its type. Without a host the agent is on this machine. */
function probeOf(check: HealthCheck, host: string, port: number): Readonly<Record<string, unknown>> {
  if (check.type === "ttl") return { ttl: milliseconds(ttlOf(check)) };
  const times = {
    interval: milliseconds(inRange("check.intervalMs", check.intervalMs ?? defaultIntervalMs, 100, maxMs)),
    timeout: milliseconds(inRange("check.timeoutMs", check.timeoutMs ?? defaultTimeoutMs, 1, maxMs)),
  };
  const address = addressOf({ host, port });
  switch (check.type) {
    case "tcp":
      return { tcp: address, ...times };
    case "http":
      if (typeof check.path !== "string" || !check.path.startsWith("/")) refuse("check.path", check.path, "a path that starts with /");
      return { http: `${check.secure === true ? "https" : "http"}://${address}${check.path}`, ...times };
    case "grpc":
      return { grpc: check.service === undefined ? address : `${address}/${check.service}`, grpcusetls: check.secure === true, ...times };
    default:
      return refuse("check.type", (check as { type: unknown }).type, 'one of "ttl", "http", "tcp", "grpc"');
  }
}

/** A duration in Go's syntax. */
function milliseconds(value: number): string {
  return `${Math.ceil(value)}ms`;
}

function inRange(name: string, value: unknown, min: number, max: number): number {
  const isWhole = name !== "port" || Number.isInteger(value);
  if (typeof value !== "number" || !(value >= min && value <= max) || !isWhole) {
    throw new RangeError(
      `consul: ${name} of an instance must be ${name === "port" ? "an integer" : "a number"} from ${min} to ${max}, got ${inspect(value)}`,
    );
  }
  return value;
}

function refuse(name: string, value: unknown, mustBe: string): never {
  throw new TypeError(`consul: ${name} of an instance must be ${mustBe}, got ${inspect(value, { depth: 0, maxStringLength: 60 })}`);
}
