import type { Clock, Random } from "../../core/clock.ts";
import { checkFunction, checkInteger, checkKeys, checkNumber, checkObject, refuseOption } from "../../core/options.ts";

/** Options of `prequal`. Symbols and defaults are those of the paper where it has them. */
export interface PrequalOptions {
  /** Path, with an optional query, that an instance reports its load at. @default "/.inmesh/load" */
  readonly probePath?: string;
  /** Time after which a load probe without an answer is given up, in milliseconds, 1 to 60000. @default 100 */
  readonly probeTimeoutMs?: number;
  /** Instances that are probed for each request, 0 to 100; 0.5 = one for every second request, 0 = only responses are read. @default 3 */
  readonly probesPerRequest?: number;
  /** Load probes in flight at a time, for each service, 1 to 10000. @default 32 */
  readonly maxProbesInFlight?: number;
  /** Answers that are kept, 2 to 1000: the newest one of each instance. @default 16 */
  readonly poolSize?: number;
  /** Time for which an answer is used, in milliseconds, 1 or more. @default 1000 */
  readonly maxProbeAgeMs?: number;
  /**
   * Quantile of the requests in flight in the pool above which an instance is hot, 0 to 1. With 0 only requests in flight count,
   * with 1 only latency. @default 2^-0.25 ≈ 0.84
   */
  readonly rifQuantile?: number;
  /** Answers that are removed from the pool for each request, 0 to 100: the oldest and the worst in turn. @default 1 */
  readonly removalsPerRequest?: number;
  /** Source of the random numbers; a seeded one makes the sequence repeatable. @default the mesh's */
  readonly random?: Random;
  /** Clock that ages are measured with. @default the mesh's */
  readonly clock?: Clock;
}

/** {@link PrequalOptions} with the defaults filled in; random numbers and clock stay open until the service is known. */
export type PrequalSettings = Required<Omit<PrequalOptions, "random" | "clock">> & Pick<PrequalOptions, "random" | "clock">;

const optionKeys = [
  "probePath",
  "probeTimeoutMs",
  "probesPerRequest",
  "maxProbesInFlight",
  "poolSize",
  "maxProbeAgeMs",
  "rifQuantile",
  "removalsPerRequest",
  "random",
  "clock",
];

/**
 * Checks the options and fills in the defaults.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function prequalSettings(options: PrequalOptions): PrequalSettings {
  const { probePath = "/.inmesh/load", probeTimeoutMs = 100, probesPerRequest = 3, maxProbesInFlight = 32 } = options;
  const { poolSize = 16, maxProbeAgeMs = 1_000, rifQuantile = 2 ** -0.25, removalsPerRequest = 1 } = options;
  checkKeys("prequal", options, optionKeys);
  if (typeof probePath !== "string" || !/^\/[!-~]*$/.test(probePath))
    refuseOption("prequal: probePath", probePath, "a path that begins with a slash");
  checkNumber("prequal: probeTimeoutMs", probeTimeoutMs, 1, 60_000);
  checkNumber("prequal: probesPerRequest", probesPerRequest, 0, 100);
  checkInteger("prequal: maxProbesInFlight", maxProbesInFlight, 1, 10_000);
  checkInteger("prequal: poolSize", poolSize, 2, 1_000);
  checkNumber("prequal: maxProbeAgeMs", maxProbeAgeMs, 1);
  checkNumber("prequal: rifQuantile", rifQuantile, 0, 1);
  checkNumber("prequal: removalsPerRequest", removalsPerRequest, 0, 100);
  checkFunction("prequal: random", options.random);
  checkObject("prequal: clock", options.clock);
  return {
    ...options,
    probePath,
    probeTimeoutMs,
    probesPerRequest,
    maxProbesInFlight,
    poolSize,
    maxProbeAgeMs,
    rifQuantile,
    removalsPerRequest,
  };
}
