import { isIP } from "node:net";
import { hostname } from "node:os";
import { addressOf } from "../../core/endpoint.ts";
import { quoted } from "../../core/text/clean-text.ts";
import { ownAddress } from "../../registration/advertised-host.ts";
import { isEntryName } from "../../registration/entry-name.ts";
import type { Instance } from "../../registration/registrar.ts";

/** The registration of an instance, without its status and time stamp. */
export interface Description {
  /** In upper case, as Eureka expects it. */
  readonly app: string;
  readonly instanceId: string;
  readonly leaseMs: number;
  /** Fields of Eureka's `instance` object. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const servicePattern = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/;
// The id is a segment of a path. Servers refuse these characters in a path, encoded or not.
const idPattern = /^[^\s/\\%;?#]+$/u;

/** Checks `instance` and translates it. Throws a `TypeError` or `RangeError` that names the field and its value. */
export function describeInstance(instance: Instance, defaultLeaseMs: number): Description {
  const { service, port, secure = false, weight, zone, tags, metadata, check = { type: "ttl" } } = instance;
  if (typeof service !== "string" || !servicePattern.test(service))
    throw new TypeError(`eureka: service ${quoted(service)} is not a service name`);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`eureka: port ${port} is not an integer from 1 to 65535`);
  if (weight !== undefined && !(Number.isInteger(weight) && weight >= 1 && weight <= 65_535)) {
    throw new RangeError(`eureka: weight ${weight} is not an integer from 1 to 65535`);
  }
  // They are listed as one text.
  for (const tag of tags ?? [])
    if (typeof tag !== "string" || tag === "" || tag.includes(","))
      throw new TypeError(`eureka: tag ${quoted(tag)} is empty, or has a comma`);
  const { hostName, ipAddr } = addresses(instance.host);
  const app = service.toUpperCase();
  const instanceId = instance.id ?? `${hostName}:${service}:${port}`;
  if (!isEntryName(instanceId) || !idPattern.test(instanceId)) {
    throw new TypeError(
      `eureka: id ${quoted(instanceId)} must be 1 to 256 printable characters without white space and / \\ % ; ? #, and neither "." nor ".."`,
    );
  }
  const url = (path: string) => `${secure ? "https" : "http"}://${addressOf({ host: hostName, port })}${path}`;
  const leaseMs = leaseOf(check, defaultLeaseMs);
  return {
    app,
    instanceId,
    leaseMs,
    fields: {
      instanceId,
      app,
      hostName,
      ipAddr,
      vipAddress: service,
      secureVipAddress: service,
      port: { $: port, "@enabled": String(!secure) },
      securePort: { $: port, "@enabled": String(secure) },
      homePageUrl: url("/"),
      // Eureka never requests it: it is for people and for other clients.
      ...(check.type === "http" ? { [secure ? "secureHealthCheckUrl" : "healthCheckUrl"]: url(check.path) } : {}),
      dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
      metadata: {
        ...metadata,
        ...(weight === undefined ? {} : { weight: String(weight) }),
        ...(zone === undefined ? {} : { zone }),
        ...(tags === undefined || tags.length === 0 ? {} : { tags: tags.join(",") }),
      },
    },
  };
}

function leaseOf(check: NonNullable<Instance["check"]>, defaultLeaseMs: number): number {
  if (check.type === "http") {
    if (typeof check.path !== "string" || !check.path.startsWith("/"))
      throw new TypeError(`eureka: check.path ${quoted(check.path)} does not begin with "/"`);
    return defaultLeaseMs;
  }
  if (check.type !== "ttl") {
    throw new TypeError(
      `eureka: check.type ${quoted(check.type)} does not exist: Eureka asks no instance, it knows only the lease ("ttl")`,
    );
  }
  const { ttlMs = defaultLeaseMs } = check;
  if (!Number.isFinite(ttlMs) || ttlMs < 1_000)
    throw new RangeError(`eureka: check.ttlMs ${ttlMs} is less than 1000, and Eureka counts in seconds`);
  return ttlMs;
}

/**
 * The addresses under which others reach the instance. A given host goes into both fields, because clients read one or the other. Without
 * a host they are this machine's name, and the address that `host: "auto"` gives.
 */
function addresses(host: string | undefined): { readonly hostName: string; readonly ipAddr: string } {
  if (host !== undefined) {
    const bare = typeof host === "string" && host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
    if (typeof bare !== "string" || !(isIP(bare) !== 0 || /^[A-Za-z0-9_.-]{1,253}$/.test(bare))) {
      throw new TypeError(`eureka: host ${quoted(host)} is neither a host name nor an IP address`);
    }
    return { hostName: bare, ipAddr: bare };
  }
  return { hostName: hostname(), ipAddr: ownAddress() ?? "127.0.0.1" };
}
