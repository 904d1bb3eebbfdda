import type { Clock, Random } from "../../core/clock.ts";
import {
  checkChoice,
  checkFlag,
  checkInteger,
  checkKeys,
  checkNumber,
  checkObject,
  maxTimerMs,
  refuseOption,
} from "../../core/settings/checks.ts";
import type { EmptyPolicy } from "../discovery.ts";
import { plainName } from "./name.ts";
import { type DnsServer, parseServer } from "./server.ts";
import { systemServers } from "./system-servers.ts";

/** See `DnsOptions.transport`. */
export type Transport = "auto" | "tcp";

/** Options of {@link dns}. All are optional. */
export interface DnsOptions {
  /** `"SRV"` gives ports, priorities and weights; `"A"` addresses alone (AAAA too). The default is `"A"` where `port` is given, else `"SRV"`. */
  readonly type?: "A" | "SRV";
  /**
   * The DNS name of a service: a template such as `"{service}.service.consul"`, or a function. It is fully qualified, with or without a
   * final dot. Default `"{service}"`.
   */
  readonly name?: string | ((service: string) => string);
  /** The port of every instance, 1–65535; for type `"A"` only. */
  readonly port?: number;
  /** The servers, in order of preference: `"127.0.0.1"`, `"127.0.0.1:8600"`, `"[::1]:53"`. Absent: those of the system, also when they change. */
  readonly servers?: readonly string[];
  /** 4 queries IPv4 addresses only, 6 IPv6 only, 0 both. Default 0. */
  readonly family?: 0 | 4 | 6;
  /** `true` when the instances speak TLS. Default `false`. */
  readonly secure?: boolean;
  /** Shortest time between two rounds of queries whatever the TTL, in milliseconds. Default 1,000. */
  readonly minTtlMs?: number;
  /** Longest time between two rounds of queries whatever the TTL, in milliseconds. Default 300,000. */
  readonly maxTtlMs?: number;
  /** Time for one attempt at one server, in milliseconds. Default 500. */
  readonly timeoutMs?: number;
  /** Attempts at each server before a query fails. Default 3. */
  readonly maxAttempts?: number;
  /**
   * `"auto"` asks by UDP, and by TCP where an answer was cut off, fills its datagram or lists other records than before, as those of Consul do
   * that are only a part. `"tcp"` always asks by TCP. Default `"auto"`.
   */
  readonly transport?: "auto" | "tcp";
  /** How an answer is taken that is suddenly empty, see `Discovery.emptyPolicy`. Default `"quarantine"`. */
  readonly emptyPolicy?: EmptyPolicy;
  /** Time, for tests. */
  readonly clock?: Clock;
  /** Random numbers, for tests. */
  readonly random?: Random;
}

/** The options that are plain values, with their defaults. */
interface Settings
  extends Required<Pick<DnsOptions, "family" | "secure" | "minTtlMs" | "maxTtlMs" | "timeoutMs" | "maxAttempts" | "transport">> {
  readonly type: DnsOptions["type"] | undefined;
  readonly port: number | undefined;
  readonly emptyPolicy: EmptyPolicy | undefined;
}

const known: readonly (keyof DnsOptions)[] = [
  "type",
  "name",
  "port",
  "servers",
  "family",
  "secure",
  "minTtlMs",
  "maxTtlMs",
  "timeoutMs",
  "maxAttempts",
  "transport",
  "emptyPolicy",
  "clock",
  "random",
];

/** Throws a `TypeError` or `RangeError` that names option and value when an option, or a combination of options, is wrong. */
export function checkOptions(given: DnsOptions, settings: Settings): void {
  const { type, port, family, secure, emptyPolicy, minTtlMs, maxTtlMs, timeoutMs, maxAttempts, transport } = settings;
  checkObject("dns: options", given);
  checkKeys("dns", given, known);
  checkChoice("dns: type", type, ["A", "SRV"]);
  if (type === "A" && port === undefined) throw new TypeError('dns: type "A" needs a port, since addresses come without one');
  if (type === "SRV" && port !== undefined) throw new TypeError(`dns: type "SRV" takes the port from DNS, but port is ${port}`);
  checkInteger("dns: port", port, 1, 65_535);
  checkChoice("dns: family", family, [0, 4, 6]);
  checkFlag("dns: secure", secure);
  checkChoice("dns: transport", transport, ["auto", "tcp"]);
  checkChoice("dns: emptyPolicy", emptyPolicy, ["quarantine", "trust"]);
  checkNumber("dns: minTtlMs", minTtlMs, 1, maxTimerMs);
  checkNumber("dns: maxTtlMs", maxTtlMs, 1, maxTimerMs);
  if (minTtlMs > maxTtlMs) throw new RangeError(`dns: minTtlMs (${minTtlMs}) is more than maxTtlMs (${maxTtlMs})`);
  checkNumber("dns: timeoutMs", timeoutMs, 1, maxTimerMs);
  checkInteger("dns: maxAttempts", maxAttempts, 1, 100);
}

/** The record types that hold addresses. Declared here, so that the public types need none of dns-packet's. */
export type AddressType = "A" | "AAAA";

/** The address types of a family. */
export function addressTypes(family: 0 | 4 | 6): readonly AddressType[] {
  if (family === 4) return ["A"];
  return family === 6 ? ["AAAA"] : ["A", "AAAA"];
}

const placeholder = "{service}";

/** The function from a service to its DNS name. Throws a `TypeError` on a template that cannot give a name; the result is not checked. */
export function nameOption(name: NonNullable<DnsOptions["name"]>): (service: string) => string {
  if (typeof name === "function") return name;
  if (typeof name !== "string") refuseOption("dns: name", name, "a string or a function");
  if (plainName(name.replaceAll(placeholder, "x")) === undefined)
    refuseOption("dns: name", name, `a DNS name with ${placeholder} in place of the service`);
  return (service) => name.replaceAll(placeholder, () => service);
}

/** The servers to ask, for each query anew, since those of the system can change. */
export function serversOption(servers: DnsOptions["servers"], clock: Clock): () => readonly DnsServer[] {
  if (servers === undefined) return systemServers(clock);
  if (!Array.isArray(servers) || servers.length === 0) refuseOption("dns: servers", servers, "an array of at least one address");
  const parsed = servers.map(
    (text: unknown, index) =>
      (typeof text === "string" ? parseServer(text) : undefined) ??
      refuseOption(`dns: servers[${index}]`, text, "an IP address, with or without a port"),
  );
  return () => parsed;
}
