import type { Clock, Random } from "../../core/clock.ts";

/** Options of `weighted`. */
export interface WeightedOptions {
  /**
   * `"static"`: the weights that discovery gives. `"reported"`: those that the instances' own load reports make
   * (gRFC A58). @default "static"
   */
  readonly by?: "static" | "reported";
  /** `"reported"`: an instance has reported for so long before its weight is used, in milliseconds. @default 10000 */
  readonly blackoutMs?: number;
  /** `"reported"`: a report is used for so long, in milliseconds. @default 180000 */
  readonly expirationMs?: number;
  /** `"reported"`: how often the weights are reckoned up, in milliseconds, 100 or more. @default 1000 */
  readonly updateMs?: number;
  /** `"reported"`: what an error rate of 1 adds to the utilization. @default 1 */
  readonly errorUtilizationPenalty?: number;
  /** Where a schedule begins, and who gets a retry; a seeded one makes the sequence repeatable. @default the mesh's */
  readonly random?: Random;
  /** `"reported"`: what times are measured with. @default the mesh's clock */
  readonly clock?: Clock;
}
