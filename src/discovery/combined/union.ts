import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { addressOf, type Endpoint } from "../../core/endpoint.ts";
import { checkFunction, checkKeys, checkNumber, checkObject, maxTimerMs } from "../../core/options.ts";
import { authoritative, isAuthoritative } from "../authority.ts";
import type { Discovery } from "../discovery.ts";
import { Wakeup } from "../wakeup.ts";
import { allFailed, closeAll, emptyPolicyOf, nameOf, requireDiscovery } from "./combined.ts";
import { Source, type SourceErrorListener } from "./source.ts";

/** Options of {@link union}. */
export interface UnionOptions {
  /**
   * How long the first set waits for sources that have neither answered nor failed, in milliseconds; 500 by default: less
   * than the mesh's `discoveryTimeoutMs`, so that one that hangs does not hide the others.
   */
  readonly waitMs?: number;
  /** Told of every failure of one of the sources. */
  readonly onError?: SourceErrorListener;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * The endpoints of all sources together. One that fails takes nothing away from the others, and its own last good set stays.
 * An instance that several sources list, at one address, is listed once, as the first of them has it; ids stay unique.
 * Throws `ERR_MESH_DISCOVERY` only when all have failed before any has answered.
 */
export function union(...sources: readonly Discovery[]): Discovery;
export function union(sources: readonly Discovery[], options?: UnionOptions): Discovery;
export function union(...args: readonly unknown[]): Discovery {
  const [sources, options] = Array.isArray(args[0]) ? [args[0] as unknown[], (args[1] ?? {}) as UnionOptions] : [args, {}];
  return unionOf(sources, options);
}

const known: readonly (keyof UnionOptions)[] = ["waitMs", "onError", "clock", "random"];

function unionOf(given: readonly unknown[], options: UnionOptions): Discovery {
  checkObject("union: options", options);
  checkKeys("union", options, known);
  const { waitMs = 500, onError, clock = systemClock, random = Math.random } = options;
  if (given.length === 0) throw new TypeError("union: at least one discovery is needed");
  const sources = given.map((source, index) => {
    requireDiscovery(source, `union: source ${index + 1}`);
    return source;
  });
  checkNumber("union: waitMs", waitMs, 0, maxTimerMs);
  checkFunction("union: onError", onError);
  const catalogues = sources.filter(({ services }) => services !== undefined);
  return {
    name: sources.map(nameOf).join(" and "),
    emptyPolicy: emptyPolicyOf(sources),
    async *watch(service, signal) {
      if (signal.aborted) return;
      const changes = new Wakeup();
      const watched = sources.map(
        (discovery) => new Source({ discovery, service, clock, random, emptyPolicy: undefined, onError, changes }),
      );
      let isOverdue = false;
      const onOverdue = () => {
        isOverdue = true;
        changes.wake();
      };
      const timer = clock.setTimer(onOverdue, waitMs, false);
      try {
        let told: readonly Told[] = [];
        let last: readonly Endpoint[] = [];
        while (!signal.aborted) {
          const isAnswered = watched.some(({ answers }) => answers > 0);
          if (!isAnswered && watched.every(({ isFailing }) => isFailing)) throw allFailed(service, watched);
          const isComplete = watched.every(({ answers, isFailing }) => answers > 0 || isFailing);
          const isNew = watched.some(({ listed }, index) => listed !== told[index]?.listed);
          // The union is as old as the oldest of its parts: no source confirms what another one says.
          const isConfirmed = watched.every(({ answers }, index) => answers === 0 || answers > (told[index]?.answers ?? 0));
          if ((isNew || isConfirmed) && isAnswered && (isComplete || isOverdue)) {
            told = watched.map(({ listed, answers }) => ({ listed, answers }));
            if (isNew) last = [...merge(watched), ...watched.flatMap(({ rejected }) => rejected)];
            yield watched.every(({ listed }) => isAuthoritative(listed)) ? authoritative(last) : last;
          } else {
            await changes.wait(signal);
          }
        }
      } finally {
        clock.clearTimer(timer);
        await Promise.all(watched.map((source) => source.stop()));
      }
    },
    ...(catalogues.length > 0 ? { services: (signal: AbortSignal) => catalogueOf(catalogues, signal, onError) } : {}),
    close: () => closeAll(sources),
  };
}

/** What a source had said when the union was yielded last. */
type Told = Pick<Source, "listed" | "answers">;

/** Earlier sources come first: their ids stay, and they describe what others list too. */
function merge(sources: readonly Source[]): readonly Endpoint[] {
  const merged = new Map<string, Endpoint>();
  const addresses = new Set<string>();
  sources.forEach(({ endpoints = [] }, index) => {
    // Two instances at one address within one source are that source's business.
    const added = endpoints.filter((endpoint) => !addresses.has(addressOf(endpoint)));
    for (const endpoint of added) {
      addresses.add(addressOf(endpoint));
      let id = endpoint.id;
      while (merged.has(id)) id = `${index + 1}/${id}`;
      merged.set(id, id === endpoint.id ? endpoint : { ...endpoint, id });
    }
  });
  return [...merged.values()];
}

async function catalogueOf(
  sources: readonly Discovery[],
  signal: AbortSignal,
  onError: SourceErrorListener | undefined,
): Promise<readonly string[]> {
  const results = await Promise.allSettled(sources.map(async (source) => (await source.services?.(signal)) ?? []));
  signal.throwIfAborted();
  const names = new Set<string>();
  const failures: { discovery: Discovery; error: unknown }[] = [];
  results.forEach((result, index) => {
    const discovery = sources[index] as Discovery;
    if (result.status === "fulfilled") for (const name of result.value) names.add(name);
    else failures.push({ discovery, error: result.reason });
  });
  for (const { discovery, error } of failures) onError?.(error, "", discovery);
  if (failures.length === sources.length) throw allFailed("the catalogue", failures);
  return [...names];
}
