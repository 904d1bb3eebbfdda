import { optionTable } from "../../core/settings/option-table.ts";
import { number } from "../../core/settings/rules.ts";

/** Options of the division of load between priorities, which is Envoy's. */
export interface PriorityOptions {
  /**
   * A priority keeps all of its load while at least 1 / `overprovisioning` of its instances are available, and passes on a growing
   * part of it below that. 1 or more; `Infinity`: it passes on nothing while one instance is available (RFC 2782). @default 1.4
   */
  readonly overprovisioning?: number;
  /**
   * Share of available instances, 0 to 1, below which a priority is in panic: its load goes to all of its instances, available or
   * not, unless the other priorities together can take everything. @default 0.5 with several priorities, 0 with one
   */
  readonly panicRatio?: number;
}

/** The rules of {@link PriorityOptions}. */
export const priorityOptions = optionTable<PriorityOptions>()({
  overprovisioning: number({ default: 1.4, min: 1 }),
  panicRatio: number({ defaultText: "0.5 with several priorities, 0 with one", min: 0, max: 1 }),
});

/** Number of instances of a priority, and number of those that are available. */
export interface PriorityHealth {
  readonly size: number;
  readonly available: number;
}

/** The load of one priority. */
export interface PriorityLoad {
  /** Its share of the requests, 0 to 1. */
  readonly share: number;
  /** Its requests go to all of its instances. */
  readonly isPanic: boolean;
}

/**
 * The share of each priority, the preferred one first; the shares add up to 1 when there is an instance at all. Envoy's rules: the
 * health of a priority is the percentage of its available instances × `overprovisioning`, at most 100. Each takes what its health
 * allows of what the earlier ones have left. If all healths together are below 100, the priorities share in proportion to them. When
 * every priority is in panic, they share in proportion to their numbers of instances.
 */
export function priorityLoads(levels: readonly PriorityHealth[], options: PriorityOptions = {}): readonly PriorityLoad[] {
  const { overprovisioning, panicRatio = levels.length > 1 ? 0.5 : 0 } = priorityOptions.settle(options);
  const healths = levels.map((level) => healthOf(level, overprovisioning));
  const total = Math.min(100, sumOf(healths));
  const panics = levels.map(({ size, available }) => total < 100 && available < panicRatio * size);
  if (total === 0 || panics.every(Boolean)) {
    const instances = sumOf(levels.map(({ size }) => size));
    return levels.map(({ size }) => ({ share: instances === 0 ? 0 : size / instances, isPanic: true }));
  }
  let rest = 1;
  const last = healths.findLastIndex((health) => health > 0);
  return healths.map((health, index) => {
    // The last one takes the rest, so that rounding loses nothing.
    const share = index === last ? rest : Math.min(rest, health / total);
    rest -= share;
    return { share, isPanic: panics[index] as boolean };
  });
}

/** In percent. Envoy truncates it to a whole number, with which one available instance of a thousand would count as none. */
function healthOf({ size, available }: PriorityHealth, overprovisioning: number): number {
  if (available === 0) return 0;
  const health = (100 * overprovisioning * available) / size;
  return health > 100 - roundingError ? 100 : health;
}

const roundingError = 1e-9;

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
