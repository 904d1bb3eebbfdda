import type { Random } from "../core/clock.ts";
import { checkInteger, checkKeys, checkObject } from "../core/settings/checks.ts";
import type { Upstream } from "../core/upstream.ts";

/** Options of `mesh.warm`. */
export interface WarmOptions {
  /** Instances that are connected to at most, drawn at random when there are more; 0 = none, to begin the watch alone. @default 16 */
  readonly maxInstances?: number;
}

/**
 * Checks the options of `mesh.warm`.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkWarm(options: WarmOptions): void {
  checkObject("warm", options);
  checkKeys("warm", options, ["maxInstances"]);
  checkInteger("warm.maxInstances", options.maxInstances, 0);
}

/** Connects to at most `maxInstances` of the upstreams, all at once. Resolves with the number that are connected; never rejects. */
export async function warmUp(
  upstreams: readonly Upstream[],
  connect: (upstream: Upstream) => Promise<boolean>,
  { maxInstances = 16 }: WarmOptions,
  random: Random,
): Promise<number> {
  const connected = await Promise.all(drawn(upstreams, maxInstances, random).map(connect));
  return connected.filter(Boolean).length;
}

function drawn(upstreams: readonly Upstream[], size: number, random: Random): readonly Upstream[] {
  if (upstreams.length <= size) return upstreams;
  const rest = [...upstreams];
  return Array.from({ length: size }, () => rest.splice(Math.floor(random() * rest.length), 1)[0] as Upstream);
}
