/** Options of how priorities share the load. */
export interface PriorityOptions {
  /**
   * A priority keeps all of its load while at least 1 / this of its instances are available, and gives a growing part of it to
   * the next one below that. `Infinity`: nothing while one is available, as RFC 2782 has it. 1 or more. @default 1.4
   */
  readonly overprovisioning?: number;
  /**
   * Below this share of available instances a priority is in panic: its load goes to all of its instances, available or not, unless
   * the other priorities together can take everything. @default 0.5 with several priorities, 0 with one
   */
  readonly panicRatio?: number;
}

/** How many instances a priority has, and how many of them are available. */
export interface PriorityHealth {
  readonly size: number;
  readonly available: number;
}

/** What one priority is given. */
export interface PriorityLoad {
  /** Its share of the requests, 0 to 1. */
  readonly share: number;
  /** Its requests go to all of its instances. */
  readonly isPanic: boolean;
}

/**
 * The share of each priority, the preferred one first; they add up to 1 when there is an instance at all. Envoy's rules: the health
 * of a priority is the percentage of its available instances × `overprovisioning`, at most 100; each takes what its health allows of
 * what those before it have left; if all together have less than 100 they share in proportion. When every priority is in panic, they
 * share by their numbers of instances.
 */
export function priorityLoads(levels: readonly PriorityHealth[], options: PriorityOptions = {}): readonly PriorityLoad[] {
  const { overprovisioning = 1.4, panicRatio = levels.length > 1 ? 0.5 : 0 } = options;
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
    // Whatever is left is the last one's: rounding loses nothing.
    const share = index === last ? rest : Math.min(rest, health / total);
    rest -= share;
    return { share, isPanic: panics[index] as boolean };
  });
}

/** In percent. Envoy cuts it down to a whole number, with which one of a thousand instances counts as none. */
function healthOf({ size, available }: PriorityHealth, overprovisioning: number): number {
  if (available === 0) return 0;
  const health = (100 * overprovisioning * available) / size;
  return health > 100 - roundingError ? 100 : health;
}

const roundingError = 1e-9;

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
