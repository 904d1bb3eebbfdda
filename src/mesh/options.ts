import { inspect } from "node:util";
import { type BalancingOptions, balancingKeys, checkBalancing } from "../balancer/balancing-options.ts";
import type { Picker } from "../balancer/picker.ts";
import type { BreakerOptions } from "../circuit/breaker-options.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { Interceptor } from "../core/dispatch.ts";
import type { Observer } from "../core/observer.ts";
import { checkChoice, checkFlag, checkInteger, checkKeys, checkNumber, checkObject, checkText, maxTimerMs } from "../core/options.ts";
import type { Isolation, Protocol } from "../core/protocol.ts";
import type { Discovery, EmptyPolicy } from "../discovery/discovery.ts";
import { checkDecode, type DecodeOptions } from "../fetch/decode.ts";
import { type ConcurrencyOptions, checkConcurrencyOptions } from "../policies/concurrency/concurrency-limit.ts";
import { checkHedgeOptions, type HedgeOptions } from "../policies/hedge/hedge.ts";
import type { RetryOptions } from "../policies/retry/retry.ts";
import { checkThrottleOptions, type ThrottleOptions } from "../policies/throttle.ts";
import type { EjectionOptions } from "../rotation/ejection/ejection.ts";
import { checkEjection } from "../rotation/ejection/ejection-options.ts";
import { checkHealthCheck, type HealthCheckOptions } from "../rotation/health/health-check-options.ts";
import type { TlsOptions } from "../wire/tls.ts";

/** What may differ from service to service. */
export interface ServiceOptions extends BalancingOptions {
  /** Chooses the instance of each attempt. @default adaptive() */
  readonly picker?: Picker;
  /** The whole call in milliseconds: discovery wait, every attempt, pauses and the body. `false` = no limit. @default 10000 */
  readonly timeoutMs?: number | false;
  /** One attempt up to its response head, in milliseconds. `false` = no limit. @default 2000 */
  readonly attemptTimeoutMs?: number | false;
  /** Waiting for a service's first endpoints, in milliseconds. @default 1000 */
  readonly discoveryTimeoutMs?: number;
  /** Retries; `false` = none. */
  readonly retry?: RetryOptions | false;
  /** Circuit breakers of the service and of its instances; `false` = none. */
  readonly breaker?: BreakerOptions | false;
  /**
   * Takes out instances that do worse than the others, and bounds how many may be out; it works through the breakers, so `breaker: false`
   * switches it off too. `false` = breakers judge each instance by itself.
   */
  readonly ejection?: EjectionOptions | false;
  /** Active checks of every instance that discovery knows: who fails them is out of rotation until it passes again. @default false */
  readonly healthCheck?: HealthCheckOptions | false;
  /** A second attempt beside one that takes longer than nearly all others. @default false */
  readonly hedge?: HedgeOptions | false;
  /** How many attempts may be in flight at a time. @default false */
  readonly concurrency?: ConcurrencyOptions | false;
  /** Holds calls back from a service that refuses most of them. @default false */
  readonly throttle?: ThrottleOptions | false;
  /**
   * Refuses responses whose body ends with its connection, since of those nobody can tell whether they are whole. (A connection that is
   * reset is noticed in any case; one that is closed too early is not.) @default false
   */
  readonly requireDelimitedBody?: boolean;
  /** Tells instances how long the caller still waits and which attempt it is (`x-mesh-deadline-ms`, `x-mesh-attempt`). @default true */
  readonly shouldPropagate?: boolean;
  /** Around each call of the service, first = outermost. */
  readonly interceptors?: readonly Interceptor[];
  /**
   * What is spoken to the instances. `h1`: HTTP/1.1. `h2`: HTTP/2, without TLS by prior knowledge (h2c). `auto`: whichever an
   * instance that speaks TLS chooses (ALPN), HTTP/1.1 to the others. @default "h1"
   */
  readonly protocol?: Protocol;
  /**
   * `per-request`: over HTTP/1.1 each request has a connection of its own, so that an instance which is not trusted cannot answer one
   * caller with what is meant for another. Over HTTP/2 requests have streams of their own in any case. @default "shared"
   */
  readonly isolation?: Isolation;
  /** Bounds on what a compressed body may become when it is decoded. */
  readonly decode?: DecodeOptions;
  /** What an empty answer of the registry means. @default what the adapter says, else "quarantine" */
  readonly emptyPolicy?: EmptyPolicy;
}

/** Options of `createMesh`. */
export interface MeshOptions extends ServiceOptions {
  /** Where endpoints come from; several are combined by `fallback(a, b)` or `union(a, b)`. */
  readonly discovery: Discovery;
  /** Metric hooks. @default [openTelemetry()] */
  readonly observers?: readonly Observer[];
  /** The failure domain that this process is in, as discovery names those of the instances: with it, instances of the same zone are preferred. */
  readonly zone?: string;
  /** Overrides for single services, by name. */
  readonly services?: Readonly<Record<string, ServiceOptions>>;
  /** No byte of a response body for so long ends it, in milliseconds. `false` = no limit. @default 30000 */
  readonly bodyIdleTimeoutMs?: number | false;
  /** Limit of a connection attempt, in milliseconds. @default 300 to instances of the mesh's own `zone`, 1000 to all others */
  readonly connectTimeoutMs?: number;
  /** Connections to one instance. @default 256 */
  readonly connections?: number;
  /** A connection is closed after so many requests. @default no limit */
  readonly maxRequestsPerConnection?: number;
  /** A connection takes no new request after so long, in milliseconds: certificates and load balancers change. @default 300000 */
  readonly maxConnectionAgeMs?: number;
  /** TLS towards instances that speak it. */
  readonly tls?: TlsOptions;
  /**
   * A directory in which the last good endpoints of each service are kept (files of mode 0600 with a checksum), so that a process that
   * starts while the registry is down can call all the same. @default none
   */
  readonly lastGoodDirectory?: string;
  /** Services watched at a time; the one unused for longest makes room. @default 128 */
  readonly maxServices?: number;
  /** How long `close()` waits for calls in flight, in milliseconds. @default 5000 */
  readonly drainTimeoutMs?: number;
  /** Time; for tests and simulations. */
  readonly clock?: Clock;
  /** Chance; a seeded one makes jitter and picks repeatable. */
  readonly random?: Random;
}

const serviceKeys = [
  "picker",
  "timeoutMs",
  "attemptTimeoutMs",
  "discoveryTimeoutMs",
  "retry",
  "breaker",
  "ejection",
  "healthCheck",
  "hedge",
  "concurrency",
  "throttle",
  "requireDelimitedBody",
  "shouldPropagate",
  "interceptors",
  "protocol",
  "isolation",
  "decode",
  "emptyPolicy",
  ...balancingKeys,
] as const;
const meshKeys = [
  ...serviceKeys,
  "discovery",
  "zone",
  "observers",
  "services",
  "bodyIdleTimeoutMs",
  "connectTimeoutMs",
  "connections",
  "maxRequestsPerConnection",
  "maxConnectionAgeMs",
  "tls",
  "lastGoodDirectory",
  "maxServices",
  "drainTimeoutMs",
  "clock",
  "random",
];

/**
 * Checks everything that `createMesh` was given.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkMeshOptions(options: MeshOptions): void {
  if (typeof options !== "object" || options === null) throw new TypeError("createMesh needs options: createMesh({ discovery })");
  checkKeys("createMesh", options, meshKeys);
  if (typeof options.discovery?.watch !== "function") {
    throw new TypeError("discovery must be a Discovery, such as consul() or staticDiscovery({ … }): it has no watch method");
  }
  checkServiceOptions("", options);
  checkText("zone", options.zone);
  const { observers, tls, services, clock, random } = options;
  checkText("lastGoodDirectory", options.lastGoodDirectory);
  // undici takes finite numbers only, and would say so at the first call.
  if (options.bodyIdleTimeoutMs !== false) checkNumber("bodyIdleTimeoutMs", options.bodyIdleTimeoutMs, 1, maxTimerMs);
  checkNumber("connectTimeoutMs", options.connectTimeoutMs, 1, maxTimerMs);
  checkInteger("connections", options.connections, 1);
  checkInteger("maxRequestsPerConnection", options.maxRequestsPerConnection, 1);
  checkNumber("maxConnectionAgeMs", options.maxConnectionAgeMs, 1);
  checkInteger("maxServices", options.maxServices, 1);
  checkNumber("drainTimeoutMs", options.drainTimeoutMs, 0);
  if (observers !== undefined && !(Array.isArray(observers) && observers.every((each) => typeof each === "object" && each !== null)))
    throw new TypeError(`observers must be an array of observers, not ${inspect(observers, { depth: 1 })}`);
  checkObject("tls", tls);
  if (tls !== undefined) {
    checkKeys("tls", tls, ["ca", "cert", "key", "serverName"]);
    if (tls.serverName !== undefined && (typeof tls.serverName !== "string" || tls.serverName === ""))
      throw new TypeError(
        `tls.serverName must be a host name, not ${typeof tls.serverName === "object" ? "an object" : inspect(tls.serverName)}`,
      );
  }
  if (clock !== undefined && !(typeof clock?.now === "function" && typeof clock.setTimer === "function"))
    throw new TypeError(`clock must be a Clock, not ${inspect(clock, { depth: 0 })}`);
  if (random !== undefined && typeof random !== "function")
    throw new TypeError(`random must be a function that returns numbers in [0, 1), not ${inspect(random)}`);
  checkObject("services", services);
  for (const [name, service] of Object.entries(services ?? {})) {
    checkObject(`services.${name}`, service);
    checkKeys(`services.${name}`, service, serviceKeys);
    checkServiceOptions(`services.${name}.`, service);
  }
}

function checkServiceOptions(prefix: string, options: ServiceOptions): void {
  const { picker, retry, breaker, interceptors } = options;
  if (picker !== undefined && typeof picker?.pick !== "function")
    throw new TypeError(`${prefix}picker must be a Picker, such as roundRobin(): it has no pick method`);
  checkLimit(`${prefix}timeoutMs`, options.timeoutMs);
  checkLimit(`${prefix}attemptTimeoutMs`, options.attemptTimeoutMs);
  checkNumber(`${prefix}discoveryTimeoutMs`, options.discoveryTimeoutMs, 0);
  checkBalancing(prefix, options);
  checkChoice(`${prefix}protocol`, options.protocol, ["h1", "h2", "auto"]);
  checkChoice(`${prefix}isolation`, options.isolation, ["shared", "per-request"]);
  checkDecode(`${prefix}decode`, options.decode);
  checkChoice(`${prefix}emptyPolicy`, options.emptyPolicy, ["quarantine", "trust"]);
  if (interceptors !== undefined && !(Array.isArray(interceptors) && interceptors.every((each) => typeof each === "function"))) {
    throw new TypeError(`${prefix}interceptors must be an array of functions`);
  }
  checkHedgeOptions(`${prefix}hedge`, options.hedge);
  checkConcurrencyOptions(`${prefix}concurrency`, options.concurrency);
  checkThrottleOptions(`${prefix}throttle`, options.throttle);
  checkFlag(`${prefix}requireDelimitedBody`, options.requireDelimitedBody);
  checkFlag(`${prefix}shouldPropagate`, options.shouldPropagate);
  if (retry !== undefined && retry !== false) {
    checkObject(`${prefix}retry`, retry);
    checkKeys(`${prefix}retry`, retry, ["maxAttempts", "idempotent", "honoursIdempotencyKey", "baseDelayMs", "maxDelayMs", "budget"]);
    checkInteger(`${prefix}retry.maxAttempts`, retry.maxAttempts, 1, 100);
    checkNumber(`${prefix}retry.baseDelayMs`, retry.baseDelayMs, 0);
    checkNumber(`${prefix}retry.maxDelayMs`, retry.maxDelayMs, 0);
    checkChoice(`${prefix}retry.idempotent`, retry.idempotent, ["safe", "rfc9110"]);
    checkFlag(`${prefix}retry.honoursIdempotencyKey`, retry.honoursIdempotencyKey);
    if (retry.budget !== undefined) {
      checkObject(`${prefix}retry.budget`, retry.budget);
      checkKeys(`${prefix}retry.budget`, retry.budget, ["ratio", "perSecond"]);
      checkNumber(`${prefix}retry.budget.ratio`, retry.budget.ratio, 0, 1);
      checkNumber(`${prefix}retry.budget.perSecond`, retry.budget.perSecond, 0);
    }
  }
  if (breaker !== undefined && breaker !== false) {
    checkObject(`${prefix}breaker`, breaker);
    checkKeys(`${prefix}breaker`, breaker, ["failureRatio", "minCalls", "consecutiveFailures", "resetMs", "maxResetMs"]);
    checkNumber(`${prefix}breaker.failureRatio`, breaker.failureRatio, 0, 1);
    checkNumber(`${prefix}breaker.minCalls`, breaker.minCalls, 1);
    checkNumber(`${prefix}breaker.consecutiveFailures`, breaker.consecutiveFailures, 1);
    checkNumber(`${prefix}breaker.resetMs`, breaker.resetMs, 1);
    checkNumber(`${prefix}breaker.maxResetMs`, breaker.maxResetMs, 1);
  }
  checkEjection(`${prefix}ejection`, options.ejection);
  checkHealthCheck(`${prefix}healthCheck`, options.healthCheck);
}

function checkLimit(option: string, value: number | false | undefined): void {
  if (value !== false) checkNumber(option, value, 1);
}
