import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { checkChoice, checkFlag, checkFunction, checkKeys, checkNumber, checkObject, maxTimerMs } from "../../core/options.ts";
import { type Credentials, parseServer, type ServerAddress } from "./server-address.ts";

/** How Eureka servers are trusted over HTTPS, and how they are shown who asks; the fields are those of `node:tls`. */
export interface EurekaTls {
  /** PEM of the authorities that may have signed the servers' certificates; absent: those Node trusts. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** PEM of this client's certificate. */
  readonly cert?: string | Uint8Array;
  /** PEM of its private key. */
  readonly key?: string | Uint8Array;
  /** What the key is encrypted with. */
  readonly passphrase?: string;
  /** The name to expect in the servers' certificates when it is not the URL's host. */
  readonly servername?: string;
}

/** The options of {@link eureka}. All are optional. */
export interface EurekaOptions {
  /**
   * Service URLs, `http://user:password@host:8761/eureka`: the next is asked when one fails, whoever answered stays:
   * `["http://127.0.0.1:8761/eureka"]`.
   */
  readonly servers?: readonly string[];
  /** With `password`, HTTP basic authentication at every server whose URL names no user of its own. */
  readonly username?: string;
  /** See `username`. */
  readonly password?: string;
  /** For HTTPS. */
  readonly tls?: EurekaTls;
  /** Whether a service's name is an application (`app`, the default) or a virtual host name (`vip`), in upper or lower case. */
  readonly by?: "app" | "vip";
  /** `true` takes the secure port of instances that have both enabled; `false` (the default) only where it is the only one. */
  readonly preferSecure?: boolean;
  /** `true` takes an instance's `hostName`; `false` (the default) its `ipAddr`. */
  readonly preferHostName?: boolean;
  /** How often the registry is fetched while anything is watched, in milliseconds, give or take 10 %: 10,000. */
  readonly refreshMs?: number;
  /** How long one request to one server may take, in milliseconds: 5,000. */
  readonly requestTimeoutMs?: number;
  /** A larger answer is refused, in bytes when uncompressed: 32 MiB. */
  readonly maxBodyBytes?: number;
  /** How often a registered instance reports, in milliseconds, a third of its lease at most: 30,000. */
  readonly heartbeatMs?: number;
  /** Eureka may drop an instance that has not reported for so long, in milliseconds, whole seconds: 90,000. */
  readonly leaseMs?: number;
  /** How long `register` tries to reach a server, in milliseconds: 10,000. */
  readonly registerTimeoutMs?: number;
  /** Called when a registered instance could not be renewed; it is tried again by itself. */
  readonly onRenewalError?: (error: Error) => void;
  /** Time, for tests. */
  readonly clock?: Clock;
  /** Random numbers, for tests. */
  readonly random?: Random;
}

/** {@link EurekaOptions} checked and with every default filled in. */
export interface EurekaSettings extends Required<Omit<EurekaOptions, "servers" | "username" | "password">> {
  readonly addresses: readonly ServerAddress[];
  /** What errors call the registry: `eureka at http://127.0.0.1:8761/eureka`. */
  readonly name: string;
}

const known: readonly (keyof EurekaOptions)[] = [
  "servers",
  "username",
  "password",
  "tls",
  "by",
  "preferSecure",
  "preferHostName",
  "refreshMs",
  "requestTimeoutMs",
  "maxBodyBytes",
  "heartbeatMs",
  "leaseMs",
  "registerTimeoutMs",
  "onRenewalError",
  "clock",
  "random",
];
const knownTls: readonly (keyof EurekaTls)[] = ["ca", "cert", "key", "passphrase", "servername"];
const mebibyte = 2 ** 20;

/** Checks the options and fills the defaults in; throws a `TypeError` or `RangeError` that names option and value, secrets left out. */
export function settingsOf(options: EurekaOptions): EurekaSettings {
  checkObject("eureka: options", options);
  checkKeys("eureka", options, known);
  const {
    servers = ["http://127.0.0.1:8761/eureka"],
    tls = {},
    by = "app",
    preferSecure = false,
    preferHostName = false,
    refreshMs = 10_000,
    requestTimeoutMs = 5_000,
    maxBodyBytes = 32 * mebibyte,
    heartbeatMs = 30_000,
    leaseMs = 90_000,
    registerTimeoutMs = 10_000,
    onRenewalError = () => {},
    clock = systemClock,
    random = Math.random,
  } = options;
  checkObject("eureka: tls", tls);
  checkKeys("eureka: tls", tls, knownTls);
  checkChoice("eureka: by", by, ["app", "vip"]);
  checkFlag("eureka: preferSecure", preferSecure);
  checkFlag("eureka: preferHostName", preferHostName);
  checkNumber("eureka: refreshMs", refreshMs, 1, maxTimerMs);
  checkNumber("eureka: requestTimeoutMs", requestTimeoutMs, 1, maxTimerMs);
  checkNumber("eureka: maxBodyBytes", maxBodyBytes, 1, 1024 * mebibyte);
  checkNumber("eureka: heartbeatMs", heartbeatMs, 1, maxTimerMs);
  // Eureka counts in seconds.
  checkNumber("eureka: leaseMs", leaseMs, 1_000, maxTimerMs);
  checkNumber("eureka: registerTimeoutMs", registerTimeoutMs, 1, maxTimerMs);
  checkFunction("eureka: onRenewalError", onRenewalError);
  // The value is not shown: a URL may hold a password.
  if (!Array.isArray(servers) || servers.length === 0) throw new TypeError("eureka: servers must be an array of at least one URL");
  const credentials = credentialsOf(options);
  const addresses = servers.map((url: unknown, index) => parseServer(url, `servers[${index}]`, credentials));
  return {
    addresses,
    name: `eureka at ${addresses.map(({ label }) => label).join(", ")}`,
    tls,
    by,
    preferSecure,
    preferHostName,
    refreshMs,
    requestTimeoutMs,
    maxBodyBytes,
    heartbeatMs,
    leaseMs,
    registerTimeoutMs,
    onRenewalError,
    clock,
    random,
  };
}

function credentialsOf({ username, password }: EurekaOptions): Credentials | undefined {
  if (username === undefined && password === undefined) return undefined;
  // No values in these messages: whoever mixes the two up has the password in `username`.
  if (typeof username !== "string" || typeof password !== "string")
    throw new TypeError("eureka: username and password must be given together, as strings");
  if (username.includes(":")) throw new TypeError("eureka: username must not contain a colon");
  return { username, password };
}
