import type { Latency } from "./scenario.ts";

/** Constants of {@link warmingLatency}. */
export interface WarmingLatencyOptions {
  /** Latency of a warm server, in milliseconds. */
  readonly warmMs: number;
  /** How many times as long a cold one takes. @default 1.8 */
  readonly coldFactor?: number;
  /** A server with fewer requests per second than this is cold. @default 5 */
  readonly coldBelow?: number;
  /** The latency varies as an exponential one does. @default false */
  readonly exponential?: boolean;
}

/** Time over which the rate of requests is averaged, in milliseconds. */
const windowMs = 3_000;

/**
 * The latency of a server that is faster the more it is called, because of caches and compiled code: a picker that prefers the fastest
 * makes the others cold. Each server needs one of its own, since it counts the requests.
 */
export function warmingLatency({ warmMs, coldFactor = 1.8, coldBelow = 5, exponential = false }: WarmingLatencyOptions): Latency {
  let perSecond = 0;
  let lastMs = 0;
  return ({ nowMs, random }) => {
    perSecond = perSecond * Math.exp((lastMs - nowMs) / windowMs) + 1_000 / windowMs;
    lastMs = nowMs;
    const factor = perSecond < coldBelow ? coldFactor : 1;
    return factor * warmMs * (exponential ? -Math.log(1 - random()) : 1);
  };
}
