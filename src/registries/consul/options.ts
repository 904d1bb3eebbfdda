import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import {
  checkChoice,
  checkFlag,
  checkFunction,
  checkKeys,
  checkNumber,
  checkObject,
  checkText,
  refuseOption,
} from "../../core/settings/checks.ts";
import { agentUrl } from "./agent-url.ts";
import { type ConsulTls, checkedTls } from "./http/consul-tls.ts";
import { type ConsulToken, checkedToken } from "./http/token.ts";

/** The server that may answer: `stale` any, `default` the leader, `consistent` the leader after it has asked the others. */
export type ConsulConsistency = "stale" | "default" | "consistent";

/** The options of {@link consul}. All are optional. */
export interface ConsulOptions {
  /** The base of the agent's HTTP API. Default `http://127.0.0.1:8500`. Excludes `host`, `port` and `secure`. */
  readonly url?: string;
  /** The agent's host, in place of `url`. Default 127.0.0.1. */
  readonly host?: string;
  /** The agent's port, in place of `url`. Default 8500. */
  readonly port?: number;
  /** `true` for HTTPS, in place of `url`. Default `false`. */
  readonly secure?: boolean;
  /** The ACL token. A file is read again when it has changed, a function is called for every request. */
  readonly token?: ConsulToken;
  /** For HTTPS. */
  readonly tls?: ConsulTls;
  /** The datacentre to query; absent: the agent's. */
  readonly datacenter?: string;
  /** The admin partition to query (Consul Enterprise). */
  readonly partition?: string;
  /** The namespace to query and to register in (Consul Enterprise). */
  readonly namespace?: string;
  /**
   * Asks a prepared query instead of the catalogue: its name or id, a template in which `{service}` stands for the service. Consul cannot hold
   * such a query until something changes, so it is repeated every `pollMs`.
   */
  readonly preparedQuery?: string;
  /** Time between two executions of a prepared query, in milliseconds, give or take 10 %. Default 5,000. */
  readonly pollMs?: number;
  /** Only instances that have all of these tags. */
  readonly tags?: readonly string[];
  /** `true` leaves instances with a warning out; otherwise they have their `Weights.Warning`. Default `false`. */
  readonly onlyPassing?: boolean;
  /** The tagged address to use where an instance or its node has it: `lan`, `wan`, `lan_ipv4`, `wan_ipv6`, … */
  readonly addressKey?: string;
  /** The name of the port to use, where an instance has several (Consul 1.22 and later). Absent: its default port. */
  readonly portName?: string;
  /**
   * `true` finds the instances in a Consul Connect mesh: the sidecars of a service, and instances that speak its TLS themselves. All are secure. An instance that is
   * registered with `secure: true` is one of the latter, which sidecars find too. Default `false`.
   */
  readonly connect?: boolean;
  /** Sorts the answer by round trip from this node (`_agent`: the agent's). Consul cannot use its streaming backend then. */
  readonly near?: string;
  /** A filter in Consul's own language, applied by the registry, such as `Service.Meta.version == "2"`. */
  readonly filter?: string;
  /** The consistency of queries. Default `stale`. */
  readonly consistency?: ConsulConsistency;
  /** Largest age of a server's last contact with its leader, in milliseconds; an older `stale` answer is queried at the leader. Default 10,000. */
  readonly maxStaleMs?: number;
  /** How long the registry may hold a query until something changes, in milliseconds. Default 60,000. */
  readonly waitMs?: number;
  /** How long any other request may take, in milliseconds. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** Least distance between the queries of a watch, after a burst of two, in milliseconds. Default 500. */
  readonly minIntervalMs?: number;
  /** Watches beyond this number poll every 5 s, since an agent takes 200 connections of one address by default. Default 100. */
  readonly maxBlockingQueries?: number;
  /** A larger answer is refused, in bytes. Default 32 MiB. */
  readonly maxBodyBytes?: number;
  /** How long `register` tries to reach the agent, in milliseconds; 0 makes one attempt. Default 10,000. */
  readonly registerTimeoutMs?: number;
  /**
   * How long an instance that leaves has to serve on until callers know, in milliseconds, for what closes a server: they hold blocking queries, which
   * Consul answers at once. Longer for callers that poll. Default 1,000.
   */
  readonly callersKnowAfterMs?: number;
  /** Consul removes a registered instance that has been critical for this long, in milliseconds, at least 60,000. Default 600,000. */
  readonly deregisterAfterMs?: number;
  /**
   * Called with the error when a registered instance could not be renewed, also when the registry had forgotten it. The renewal is repeated, or
   * the instance registered again, in any case.
   */
  readonly onRenewalError?: (error: Error) => void;
  /** Time, for tests. */
  readonly clock?: Clock;
  /** Random numbers, for tests. */
  readonly random?: Random;
}

/** {@link ConsulOptions}, checked and with every default filled in. */
export interface ConsulSettings extends ConsulDefaults {
  readonly url: string;
  /** The registry's name in errors, such as `consul at http://127.0.0.1:8500`. */
  readonly name: string;
  readonly token: ConsulToken | undefined;
  readonly tls: ConsulTls | undefined;
  readonly datacenter: string | undefined;
  readonly partition: string | undefined;
  readonly namespace: string | undefined;
  readonly preparedQuery: string | undefined;
  readonly addressKey: string | undefined;
  readonly portName: string | undefined;
  readonly near: string | undefined;
  readonly filter: string | undefined;
  readonly onRenewalError: ((error: Error) => void) | undefined;
}

type ConsulDefaults = Required<
  Pick<
    ConsulOptions,
    | "tags"
    | "onlyPassing"
    | "connect"
    | "consistency"
    | "maxStaleMs"
    | "waitMs"
    | "requestTimeoutMs"
    | "minIntervalMs"
    | "pollMs"
    | "maxBlockingQueries"
    | "maxBodyBytes"
    | "registerTimeoutMs"
    | "deregisterAfterMs"
    | "callersKnowAfterMs"
    | "clock"
    | "random"
  >
>;

const known: readonly (keyof ConsulOptions)[] = [
  "url",
  "host",
  "port",
  "secure",
  "token",
  "tls",
  "datacenter",
  "partition",
  "namespace",
  "preparedQuery",
  "pollMs",
  "tags",
  "onlyPassing",
  "addressKey",
  "portName",
  "connect",
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
  "callersKnowAfterMs",
  "onRenewalError",
  "clock",
  "random",
];
const texts = ["datacenter", "partition", "namespace", "preparedQuery", "addressKey", "portName", "near", "filter"] as const;
const consistencies: readonly ConsulConsistency[] = ["stale", "default", "consistent"];

const hourMs = 3_600_000;
const mebibyte = 2 ** 20;

/** Checks the options and fills the defaults in. Throws a `TypeError` or `RangeError` that names option and value. */
export function settingsOf(options: ConsulOptions): ConsulSettings {
  checkObject("consul: options", options);
  checkKeys("consul", options, known);
  const { datacenter, partition, namespace, preparedQuery, addressKey, portName, near, filter, onRenewalError } = options;
  const defaults = withDefaults(options);
  for (const name of texts) checkText(`consul: ${name}`, options[name]);
  if (preparedQuery !== undefined && filter !== undefined)
    throw new TypeError("consul: filter does not apply to a preparedQuery, which has filters of its own");
  checkDefaults(defaults);
  if (defaults.connect && (preparedQuery !== undefined || portName !== undefined))
    throw new TypeError(
      `consul: connect does not go with ${preparedQuery === undefined ? "portName: a sidecar has one port" : "preparedQuery"}`,
    );
  checkFunction("consul: onRenewalError", onRenewalError);
  const url = agentUrl(options);
  return {
    ...defaults,
    tags: [...defaults.tags],
    url,
    name: `consul at ${url}`,
    token: checkedToken(options.token),
    tls: checkedTls(options.tls, url),
    datacenter,
    partition,
    namespace,
    preparedQuery,
    addressKey,
    portName,
    near,
    filter,
    onRenewalError,
  };
}

function withDefaults(options: ConsulOptions): ConsulDefaults {
  const {
    tags = [],
    onlyPassing = false,
    connect = false,
    consistency = "stale",
    maxStaleMs = 10_000,
    waitMs = 60_000,
    requestTimeoutMs = 5_000,
    minIntervalMs = 500,
    pollMs = 5_000,
    maxBlockingQueries = 100,
    maxBodyBytes = 32 * mebibyte,
    registerTimeoutMs = 10_000,
    deregisterAfterMs = 600_000,
    callersKnowAfterMs = 1_000,
    clock = systemClock,
    random = Math.random,
  } = options;
  return {
    tags,
    onlyPassing,
    connect,
    consistency,
    maxStaleMs,
    waitMs,
    requestTimeoutMs,
    minIntervalMs,
    pollMs,
    maxBlockingQueries,
    maxBodyBytes,
    registerTimeoutMs,
    deregisterAfterMs,
    callersKnowAfterMs,
    clock,
    random,
  };
}

function checkDefaults(settings: ConsulDefaults): void {
  const { tags } = settings;
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === "string" && tag !== ""))
    refuseOption("consul: tags", tags, "an array of strings that are not empty");
  checkFlag("consul: onlyPassing", settings.onlyPassing);
  checkFlag("consul: connect", settings.connect);
  checkChoice("consul: consistency", settings.consistency, consistencies);
  checkNumber("consul: maxStaleMs", settings.maxStaleMs, 0);
  // Consul cuts a longer wait to ten minutes.
  checkNumber("consul: waitMs", settings.waitMs, 1, 600_000);
  checkNumber("consul: requestTimeoutMs", settings.requestTimeoutMs, 1, hourMs);
  checkNumber("consul: minIntervalMs", settings.minIntervalMs, 0, hourMs);
  checkNumber("consul: pollMs", settings.pollMs, 1, hourMs);
  checkNumber("consul: maxBlockingQueries", settings.maxBlockingQueries, 0, 100_000);
  checkNumber("consul: maxBodyBytes", settings.maxBodyBytes, 1, 1024 * mebibyte);
  checkNumber("consul: registerTimeoutMs", settings.registerTimeoutMs, 0, 24 * hourMs);
  checkNumber("consul: callersKnowAfterMs", settings.callersKnowAfterMs, 0, 24 * hourMs);
  // Consul raises a shorter time to one minute without notice.
  checkNumber("consul: deregisterAfterMs", settings.deregisterAfterMs, 60_000, 365 * 24 * hourMs);
}
