import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { addressOf, type Endpoint } from "../../core/endpoint.ts";
import { checkFunction, checkKeys, checkNumber, checkObject, maxTimerMs } from "../../core/settings/checks.ts";
import { type Discovery, type DiscoveryAnswer, nameOf, type UsePace } from "../discovery.ts";
import { Notifier } from "../notifier.ts";
import { RefreshListeners } from "../refresh-listeners.ts";
import { allFailed, closeAll, emptyPolicyOf, requireDiscovery, socketPathsOf } from "./sources.ts";
import { type SourceErrorListener, tellError, WatchedSource } from "./watched-source.ts";

/** Options of {@link union}. All are optional. */
export interface UnionOptions {
  /**
   * How long the first set waits for sources that have neither answered nor failed, in milliseconds. Default 500, less than the
   * mesh's `discoveryTimeoutMs`, so that a source that hangs does not hide the others.
   */
  readonly waitMs?: number;
  /** Called with every failure of one of the sources. Must not throw. */
  readonly onError?: SourceErrorListener;
  /** Time, for tests. */
  readonly clock?: Clock;
  /** Random numbers, for tests. */
  readonly random?: Random;
}

/**
 * The endpoints of all sources together. A source that fails takes nothing away from the others, and its own last good set stays. An
 * instance that several sources list, at one address, is listed once, as the first of them has it; ids stay unique. An answer is certain
 * when every source is certain of its part, or has the `emptyPolicy` `trust`. The watch throws `ERR_MESH_DISCOVERY` only when all sources
 * have failed before any has answered. Throws a `TypeError` or `RangeError` on wrong arguments.
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
  const settings = { sources, waitMs, onError, clock, random, hints: new RefreshListeners() };
  const catalogues = sources.filter(({ services }) => services !== undefined);
  return {
    name: sources.map(nameOf).join(" and "),
    emptyPolicy: emptyPolicyOf(sources),
    ...socketPathsOf(sources),
    combines: true,
    watch: (service, signal, pace) => watchAll(settings, service, signal, pace),
    refresh: (service) => settings.hints.notify(service),
    ...(catalogues.length > 0 ? { services: (signal: AbortSignal) => catalogueOf(catalogues, signal, onError) } : {}),
    close: () => closeAll(sources),
  };
}

interface UnionSettings extends Required<Pick<UnionOptions, "waitMs" | "clock" | "random">> {
  readonly sources: readonly Discovery[];
  readonly onError: SourceErrorListener | undefined;
  readonly hints: RefreshListeners;
}

/** The state of a source when the union was last yielded. */
type Yielded = Pick<WatchedSource, "answer" | "answers">;

async function* watchAll(
  settings: UnionSettings,
  service: string,
  signal: AbortSignal,
  pace: UsePace | undefined,
): AsyncGenerator<DiscoveryAnswer, void, undefined> {
  if (signal.aborted) return;
  const { sources, waitMs, onError, clock, random, hints } = settings;
  const changes = new Notifier();
  const watched = sources.map(
    (discovery) => new WatchedSource({ discovery, service, clock, random, emptyPolicy: undefined, pace, onError, changes }),
  );
  const forget = hints.add(service, () => {
    for (const source of watched) source.refresh();
  });
  let isOverdue = false;
  const onOverdue = () => {
    isOverdue = true;
    changes.notify();
  };
  const timer = clock.setTimer(onOverdue, waitMs, false);
  try {
    let yielded: readonly Yielded[] = [];
    let endpoints: readonly Endpoint[] = [];
    while (!signal.aborted) {
      const isAnswered = watched.some(({ answers }) => answers > 0);
      if (!isAnswered && watched.every(({ isFailing }) => isFailing)) throw allFailed(service, watched);
      const isComplete = watched.every(({ answers, isFailing }) => answers > 0 || isFailing);
      const isNew = watched.some(({ answer }, index) => answer.endpoints !== yielded[index]?.answer.endpoints);
      const isOther = isNew || watched.some(({ answer }, index) => answer !== yielded[index]?.answer);
      // The union is as old as the oldest of its parts: no source confirms the part of another.
      const isConfirmed = watched.every(({ answers }, index) => answers === 0 || answers > (yielded[index]?.answers ?? 0));
      if ((isOther || isConfirmed) && isAnswered && (isComplete || isOverdue)) {
        yielded = watched.map(({ answer, answers }) => ({ answer, answers }));
        if (isNew) endpoints = [...merge(watched), ...watched.flatMap(({ rejected }) => rejected)];
        const leftOut = watched.flatMap(({ answer }) => answer.leftOut);
        yield { endpoints, certain: watched.every(isCertain), leftOut, unconfirmed: unconfirmedOf(watched, endpoints) };
      } else {
        await changes.wait(signal);
      }
    }
  } finally {
    clock.clearTimer(timer);
    forget();
    await Promise.all(watched.map((source) => source.stop()));
  }
}

/** Whether the source is certain of its part: of this one, or of everything it lists. */
function isCertain({ answer, discovery }: WatchedSource): boolean {
  return answer.certain || discovery.emptyPolicy === "trust";
}

/** Earlier sources come first: their ids stay, and they describe instances that later ones list too. */
function merge(sources: readonly WatchedSource[]): readonly Endpoint[] {
  const merged = new Map<string, Endpoint>();
  const addresses = new Set<string>();
  sources.forEach(({ endpoints = [] }, index) => {
    // Two instances of one source at one address are kept: that source tells them apart.
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

/** The ids of merged endpoints that every source which lists them has left out of its newest answer. */
function unconfirmedOf(sources: readonly WatchedSource[], merged: readonly Endpoint[]): readonly string[] {
  if (sources.every(({ answer }) => answer.unconfirmed.length === 0)) return [];
  const confirmed = new Set<string>();
  for (const { endpoints = [], answer } of sources) {
    const doubted = new Set(answer.unconfirmed);
    for (const endpoint of endpoints) if (!doubted.has(endpoint.id)) confirmed.add(addressOf(endpoint));
  }
  const isRejected = new Set<Endpoint>(sources.flatMap(({ rejected }) => rejected));
  return merged.filter((endpoint) => !isRejected.has(endpoint) && !confirmed.has(addressOf(endpoint))).map(({ id }) => id);
}

/** The names in any of the catalogues. Fails only when all of them do. */
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
  for (const { discovery, error } of failures) tellError(onError, error, "", discovery);
  if (failures.length === sources.length) throw allFailed("the catalogue", failures);
  return [...names];
}
