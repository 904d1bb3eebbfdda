import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { checkChoice, checkFlag, checkFunction, checkKeys, checkNumber, checkObject, maxTimerMs } from "../../core/settings/checks.ts";
import { checkClientTls } from "../../core/settings/client-tls.ts";
import { type Credentials, parseServer, type ServerAddress } from "./server-address.ts";

/** TLS to Eureka servers: their certificate authorities, and the client's own certificate. */
export interface EurekaTls {
  /** PEM of the authorities that may have signed the servers' certificates; absent: those that Node trusts. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** PEM of this client's certificate. */
  readonly cert?: string | Uint8Array;
  /** PEM of its private key. */
  readonly key?: string | Uint8Array;
  /** The passphrase of an encrypted key. */
  readonly passphrase?: string;
  /** The name to expect in the servers' certificates when it is not the URL's host. */
  readonly serverName?: string;
}

/** The options of {@link eureka}. All are optional. */
export interface EurekaOptions {
  /**
   * Service URLs, `http://user:password@host:8761/eureka`. The next server is asked when one fails, which is tried again after a pause.
   * Default `["http://127.0.0.1:8761/eureka"]`.
   */
  readonly servers?: readonly string[];
  /** `random`: each client asks the servers in an order of its own, so that many spread over them. `listed`: as listed. Default `random`. */
  readonly serverOrder?: "random" | "listed";
  /** With `password`, HTTP basic authentication at every server whose URL has no user. */
  readonly username?: string;
  /** See `username`. */
  readonly password?: string;
  /** For HTTPS. */
  readonly tls?: EurekaTls;
  /** Whether the name of a service is an application (`app`) or a virtual host name (`vip`), in any case. Default `app`. */
  readonly by?: "app" | "vip";
  /** `true` uses the secure port where an instance has both enabled; `false` only where it is the only one. Default `false`. */
  readonly preferSecure?: boolean;
  /** `true` uses an instance's `hostName`, `false` its `ipAddr`. Default `false`. */
  readonly preferHostName?: boolean;
  /** Time between two fetches of the registry while anything is watched, in milliseconds, give or take 10 %. Default 10,000. */
  readonly refreshMs?: number;
  /** How long one request to one server may take, in milliseconds. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** A larger answer is refused, in bytes when uncompressed. Default 32 MiB. */
  readonly maxBodyBytes?: number;
  /** Time between two renewals of a registered instance, in milliseconds, a third of its lease at most. Default 30,000. */
  readonly heartbeatMs?: number;
  /** Eureka may remove an instance that has not been renewed for this long, in milliseconds, rounded up to seconds. Default 90,000. */
  readonly leaseMs?: number;
  /** How long `register` tries to reach a server, in milliseconds. Default 10,000. */
  readonly registerTimeoutMs?: number;
  /**
   * How long an instance that leaves has to serve on until callers know, in milliseconds, for what closes a server. Default 60,000: servers answer
   * from a cache for up to 30 s, and Spring's clients fetch every 30 s.
   */
  readonly callersKnowAfterMs?: number;
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

/** {@link EurekaOptions}, checked and with every default filled in. */
export interface EurekaSettings extends Required<Omit<EurekaOptions, "servers" | "username" | "password">> {
  readonly addresses: readonly ServerAddress[];
  /** The registry's name in errors, such as `eureka at http://127.0.0.1:8761/eureka`. */
  readonly name: string;
}

const known: readonly (keyof EurekaOptions)[] = [
  "servers",
  "serverOrder",
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
  "callersKnowAfterMs",
  "onRenewalError",
  "clock",
  "random",
];
const mebibyte = 2 ** 20;

/** Checks the options and fills the defaults in. Throws a `TypeError` or `RangeError` that names option and value, without secrets. */
// Over 60 lines: a list of options, each three times.
export function settingsOf(options: EurekaOptions): EurekaSettings {
  checkObject("eureka: options", options);
  checkKeys("eureka", options, known);
  const {
    servers = ["http://127.0.0.1:8761/eureka"],
    serverOrder = "random",
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
    callersKnowAfterMs = 60_000,
    onRenewalError = () => {},
    clock = systemClock,
    random = Math.random,
  } = options;
  checkClientTls("eureka", tls);
  checkChoice("eureka: serverOrder", serverOrder, ["random", "listed"]);
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
  checkNumber("eureka: callersKnowAfterMs", callersKnowAfterMs, 0, maxTimerMs);
  checkFunction("eureka: onRenewalError", onRenewalError);
  // The value is not shown: a URL may hold a password.
  if (!Array.isArray(servers) || servers.length === 0) throw new TypeError("eureka: servers must be an array of at least one URL");
  const credentials = credentialsOf(options);
  const addresses = servers.map((url: unknown, index) => parseServer(url, `servers[${index}]`, credentials));
  return {
    addresses,
    name: `eureka at ${addresses.map(({ label }) => label).join(", ")}`,
    serverOrder,
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
    callersKnowAfterMs,
    onRenewalError,
    clock,
    random,
  };
}

function credentialsOf({ username, password }: EurekaOptions): Credentials | undefined {
  if (username === undefined && password === undefined) return undefined;
  // No values in these messages: by mistake `username` may hold the password.
  if (typeof username !== "string" || typeof password !== "string")
    throw new TypeError("eureka: username and password must be given together, as strings");
  if (username.includes(":")) throw new TypeError("eureka: username must not contain a colon");
  return { username, password };
}
