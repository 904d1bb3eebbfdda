import type { Clock, Random } from "../../core/clock.ts";
import { refuseOption } from "../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { custom, integer, number, ratio } from "../../core/settings/rules.ts";
import { clockRule, randomRule } from "../picker-options.ts";

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

/** The rules of {@link PrequalOptions}. */
export const prequalOptions = optionTable<PrequalOptions>()({
  probePath: custom<string>({ type: "string", default: "/.inmesh/load", check: checkPath }),
  probeTimeoutMs: number({ default: 100, min: 1, max: 60_000, unit: "ms" }),
  probesPerRequest: number({ default: 3, min: 0, max: 100 }),
  maxProbesInFlight: integer({ default: 32, min: 1, max: 10_000 }),
  poolSize: integer({ default: 16, min: 2, max: 1_000 }),
  maxProbeAgeMs: number({ default: 1_000, min: 1, unit: "ms" }),
  rifQuantile: ratio(2 ** -0.25),
  removalsPerRequest: number({ default: 1, min: 0, max: 100 }),
  random: randomRule,
  clock: clockRule,
});

/** {@link PrequalOptions} with the defaults filled in. */
export type PrequalSettings = Settled<typeof prequalOptions.rules>;

function checkPath(option: string, path: unknown): void {
  if (typeof path !== "string" || !/^\/[!-~]*$/.test(path)) refuseOption(option, path, "a path that begins with a slash");
}
