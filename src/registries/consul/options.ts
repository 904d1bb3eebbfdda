import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { checkChoice, checkFlag, checkFunction, checkKeys, checkNumber, checkObject, checkText, refuseOption } from "../../core/options.ts";
import { agentUrl } from "./agent-url.ts";
import { type ConsulToken, checkedToken } from "./token.ts";

/** How a Consul agent is trusted over HTTPS, and how it is shown who asks; the fields are those of `node:tls`. */
export interface ConsulTls {
  /** PEM of the authorities that may have signed the agent's certificate; absent: those Node trusts. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** PEM of this client's certificate, for agents with `verify_incoming`. */
  readonly cert?: string | Uint8Array;
  /** PEM of its private key. */
  readonly key?: string | Uint8Array;
  /** What the key is encrypted with. */
  readonly passphrase?: string;
  /** The name to expect in the agent's certificate when it is not the URL's host. */
  readonly servername?: string;
}

/** Which server may answer: `stale` any, `default` the leader, `consistent` the leader after it has asked the others. */
export type ConsulConsistency = "stale" | "default" | "consistent";

/** The options of {@link consul}. All are optional. */
export interface ConsulOptions {
  /** Where the agent's HTTP API is: `http://127.0.0.1:8500`. Excludes `host`, `port` and `secure`. */
  readonly url?: string;
  /** The agent's host instead of `url`: 127.0.0.1. */
  readonly host?: string;
  /** The agent's port instead of `url`: 8500. */
  readonly port?: number;
  /** `true` asks by HTTPS, instead of `url`. */
  readonly secure?: boolean;
  /** The ACL token; a file is read again when it has changed, a function is called for every request. */
  readonly token?: ConsulToken;
  /** For HTTPS. */
  readonly tls?: ConsulTls;
  /** The datacentre to look in; absent: the agent's. */
  readonly datacenter?: string;
  /** The admin partition to look in (Consul Enterprise). */
  readonly partition?: string;
  /** Only instances that have all of these tags. */
  readonly tags?: readonly string[];
  /** `true` leaves instances with a warning out; `false` (the default) uses them with their `Weights.Warning`. */
  readonly onlyPassing?: boolean;
  /** The tagged address to use where an instance or its node has it: `lan`, `wan`, `lan_ipv4`, `wan_ipv6`, … */
  readonly addressKey?: string;
  /** Sorts the answer by round trip from this node (`_agent`: the asked one). Costs Consul its streaming backend. */
  readonly near?: string;
  /** A filter in Consul's own language, applied by the registry: `Service.Meta.version == "2"`. */
  readonly filter?: string;
  /** Which server may answer: `stale`. */
  readonly consistency?: ConsulConsistency;
  /** A `stale` answer of a server that has not heard of its leader for longer is asked again at the leader, in milliseconds: 10,000. */
  readonly maxStaleMs?: number;
  /** How long the registry may hold a question until something changes, in milliseconds: 60,000. */
  readonly waitMs?: number;
  /** How long any other request may take, in milliseconds: 5,000. */
  readonly requestTimeoutMs?: number;
  /** Two answers may come at once; further questions of a watch are at least this far apart, in milliseconds: 500. */
  readonly minIntervalMs?: number;
  /** Watches beyond this number poll every 5 s, since an agent takes 200 connections of one address by default: 100. */
  readonly maxBlockingQueries?: number;
  /** A larger answer is refused, in bytes: 32 MiB. */
  readonly maxBodyBytes?: number;
  /** How long `register` tries to reach the agent, in milliseconds: 10,000. */
  readonly registerTimeoutMs?: number;
  /** Consul itself removes a registered instance that has been critical for so long, in milliseconds: 600,000, at least 60,000. */
  readonly deregisterAfterMs?: number;
  /** Called when a registered instance could not be renewed; it is tried again by itself. */
  readonly onRenewalError?: (error: Error) => void;
  /** Time, for tests. */
  readonly clock?: Clock;
  /** Random numbers, for tests. */
  readonly random?: Random;
}

/** {@link ConsulOptions} checked and with every default filled in. */
export interface ConsulSettings {
  readonly url: string;
  /** What errors call the registry: `consul at http://127.0.0.1:8500`. */
  readonly name: string;
  readonly token: ConsulToken | undefined;
  readonly tls: ConsulTls | undefined;
  readonly datacenter: string | undefined;
  readonly partition: string | undefined;
  readonly tags: readonly string[];
  readonly onlyPassing: boolean;
  readonly addressKey: string | undefined;
  readonly near: string | undefined;
  readonly filter: string | undefined;
  readonly consistency: ConsulConsistency;
  readonly maxStaleMs: number;
  readonly waitMs: number;
  readonly requestTimeoutMs: number;
  readonly minIntervalMs: number;
  readonly maxBlockingQueries: number;
  readonly maxBodyBytes: number;
  readonly registerTimeoutMs: number;
  readonly deregisterAfterMs: number;
  readonly onRenewalError: ((error: Error) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

const known: readonly (keyof ConsulOptions)[] = [
  "url",
  "host",
  "port",
  "secure",
  "token",
  "tls",
  "datacenter",
  "partition",
  "tags",
  "onlyPassing",
  "addressKey",
  "near",
  "filter",
  "consistency",
  "maxStaleMs",
  "waitMs",
  "requestTimeoutMs",
  "minIntervalMs",
  "maxBlockingQueries",
  "maxBodyBytes",
  "registerTimeoutMs",
  "deregisterAfterMs",
  "onRenewalError",
  "clock",
  "random",
];
const knownTls: readonly (keyof ConsulTls)[] = ["ca", "cert", "key", "passphrase", "servername"];
const consistencies: readonly ConsulConsistency[] = ["stale", "default", "consistent"];

const hourMs = 3_600_000;
const mebibyte = 2 ** 20;

/** Checks the options and fills the defaults in; throws a `TypeError` or `RangeError` that names option and value. */
export function settingsOf(options: ConsulOptions): ConsulSettings {
  checkObject("consul: options", options);
  checkKeys("consul", options, known);
  const {
    tags = [],
    onlyPassing = false,
    consistency = "stale",
    maxStaleMs = 10_000,
    waitMs = 60_000,
    requestTimeoutMs = 5_000,
    minIntervalMs = 500,
    maxBlockingQueries = 100,
    maxBodyBytes = 32 * mebibyte,
    registerTimeoutMs = 10_000,
    deregisterAfterMs = 600_000,
    onRenewalError,
    clock = systemClock,
    random = Math.random,
  } = options;
  for (const name of ["datacenter", "partition", "addressKey", "near", "filter"] as const) checkText(`consul: ${name}`, options[name]);
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === "string" && tag !== ""))
    refuseOption("consul: tags", tags, "an array of strings that are not empty");
  checkFlag("consul: onlyPassing", onlyPassing);
  checkChoice("consul: consistency", consistency, consistencies);
  checkNumber("consul: maxStaleMs", maxStaleMs, 0);
  // Consul itself cuts a longer wait to ten minutes.
  checkNumber("consul: waitMs", waitMs, 1, 600_000);
  checkNumber("consul: requestTimeoutMs", requestTimeoutMs, 1, hourMs);
  checkNumber("consul: minIntervalMs", minIntervalMs, 0, hourMs);
  checkNumber("consul: maxBlockingQueries", maxBlockingQueries, 0, 100_000);
  checkNumber("consul: maxBodyBytes", maxBodyBytes, 1, 1024 * mebibyte);
  checkNumber("consul: registerTimeoutMs", registerTimeoutMs, 0, 24 * hourMs);
  // Consul raises a shorter time to one minute without a word.
  checkNumber("consul: deregisterAfterMs", deregisterAfterMs, 60_000, 365 * 24 * hourMs);
  checkFunction("consul: onRenewalError", onRenewalError);
  const url = agentUrl(options);
  return {
    url,
    name: `consul at ${url}`,
    token: checkedToken(options.token),
    tls: checkedTls(options.tls, url),
    datacenter: options.datacenter,
    partition: options.partition,
    tags: [...tags],
    onlyPassing,
    addressKey: options.addressKey,
    near: options.near,
    filter: options.filter,
    consistency,
    maxStaleMs,
    waitMs,
    requestTimeoutMs,
    minIntervalMs,
    maxBlockingQueries,
    maxBodyBytes,
    registerTimeoutMs,
    deregisterAfterMs,
    onRenewalError,
    clock,
    random,
  };
}

function checkedTls(tls: ConsulTls | undefined, url: string): ConsulTls | undefined {
  if (tls === undefined) return undefined;
  checkObject("consul: tls", tls);
  checkKeys("consul: tls", tls, knownTls);
  if (!url.startsWith("https:")) throw new TypeError(`consul: tls needs an https url, not ${url}`);
  if ((tls.cert === undefined) !== (tls.key === undefined)) throw new TypeError("consul: tls.cert and tls.key need each other");
  return { ...tls };
}
