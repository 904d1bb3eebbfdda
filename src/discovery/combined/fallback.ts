import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { checkFlag, checkFunction, checkKeys, checkNumber, checkObject, maxTimerMs } from "../../core/settings/checks.ts";
import { type Discovery, type DiscoveryAnswer, nameOf } from "../discovery.ts";
import { RefreshListeners } from "../refresh-listeners.ts";
import { type FallbackChoice, FallbackPair, type FallbackPairOptions } from "./fallback-pair.ts";
import { closeAll, emptyPolicyOf, requireDiscovery, socketPathsOf } from "./sources.ts";
import type { SourceErrorListener, WatchedSource } from "./watched-source.ts";
import { tellError } from "./watched-source.ts";

/** Options of {@link fallback}. All are optional. */
export interface FallbackOptions {
  /**
   * How long the primary may be silent at first, or fail after it had answered, before the secondary is used, in milliseconds. Default 500,
   * less than the mesh's `discoveryTimeoutMs`, so that the first call is answered from the secondary.
   */
  readonly switchAfterMs?: number;
  /** `true` uses the secondary also while the primary lists no instance. Default `false`. */
  readonly shouldSwitchOnEmpty?: boolean;
  /** Called with every failure of either source. Must not throw. */
  readonly onError?: SourceErrorListener;
  /** Called when `service` switches to the other source. Must not throw. */
  readonly onSwitch?: (service: string, to: FallbackChoice) => void;
  /** Time, for tests. */
  readonly clock?: Clock;
  /** Random numbers, for tests. */
  readonly random?: Random;
}

const known: readonly (keyof FallbackOptions)[] = ["switchAfterMs", "shouldSwitchOnEmpty", "onError", "onSwitch", "clock", "random"];

/**
 * The endpoints of `primary`; those of `secondary` while the primary fails. The primary is asked again in the background, with backoff
 * and jitter, and is used again from its first good answer on. Its watch throws `ERR_MESH_DISCOVERY` only while both fail. An answer is
 * certain when the source it is from was certain. Throws a `TypeError` or `RangeError` on wrong arguments.
 */
export function fallback(primary: Discovery, secondary: Discovery, options: FallbackOptions = {}): Discovery {
  requireDiscovery(primary, "fallback: primary");
  requireDiscovery(secondary, "fallback: secondary");
  checkObject("fallback: options", options);
  checkKeys("fallback", options, known);
  const { switchAfterMs = 500, shouldSwitchOnEmpty = false, clock = systemClock, random = Math.random, onError, onSwitch } = options;
  checkNumber("fallback: switchAfterMs", switchAfterMs, 0, maxTimerMs);
  checkFlag("fallback: shouldSwitchOnEmpty", shouldSwitchOnEmpty);
  checkFunction("fallback: onError", onError);
  checkFunction("fallback: onSwitch", onSwitch);
  const settings = { primary, secondary, switchAfterMs, shouldSwitchOnEmpty, clock, random, onError, onSwitch };
  const both = [primary, secondary];
  const hints = new RefreshListeners();
  return {
    name: `${nameOf(primary)}, else ${nameOf(secondary)}`,
    emptyPolicy: emptyPolicyOf(both),
    ...socketPathsOf(both),
    refresh: (service) => hints.notify(service),
    combines: true,
    async *watch(service, signal, pace) {
      if (signal.aborted) return;
      const pair = new FallbackPair({ ...settings, service, pace });
      const forget = hints.add(service, () => pair.refresh());
      try {
        let yielded: WatchedSource | undefined;
        let yieldedAnswers = 0;
        let yieldedAnswer: DiscoveryAnswer | undefined;
        while (!signal.aborted) {
          const source = pair.choose();
          const { endpoints, answers, answer } = source;
          // An answer that is in doubt does not count, and may change something all the same.
          const isKnown = source === yielded && answers === yieldedAnswers && answer === yieldedAnswer;
          if (endpoints === undefined || isKnown) {
            await pair.changes.wait(signal);
          } else {
            yielded = source;
            yieldedAnswers = answers;
            yieldedAnswer = answer;
            // Also when nothing changed: it confirms that the data is current.
            yield answer;
          }
        }
      } finally {
        forget();
        await pair.stop();
      }
    },
    ...(primary.services || secondary.services ? { services: (signal: AbortSignal) => catalogueOf(settings, signal) } : {}),
    close: () => closeAll(both),
  };
}

type Settings = Omit<FallbackPairOptions, "service" | "pace">;

/** The primary's catalogue; the secondary's when the primary has none, fails, is late, or is empty with `shouldSwitchOnEmpty`. */
async function catalogueOf(settings: Settings, signal: AbortSignal): Promise<readonly string[]> {
  const { primary, secondary, shouldSwitchOnEmpty, onError } = settings;
  if (primary.services === undefined) return (await secondary.services?.(signal)) ?? [];
  if (secondary.services === undefined) return primary.services(signal);
  try {
    const names = await inTime(settings, signal, primary.services);
    if (names.length > 0 || !shouldSwitchOnEmpty) return names;
  } catch (error) {
    signal.throwIfAborted();
    tellError(onError, error, "", primary);
  }
  return secondary.services(signal);
}

async function inTime<T>(
  { primary, switchAfterMs, clock }: Settings,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limited = new AbortController();
  const abort = () => limited.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const timer = clock.setTimer(() => limited.abort(new Error(`no answer within ${switchAfterMs} ms`)), switchAfterMs, false);
  try {
    return await new Promise((resolve, reject) => {
      limited.signal.throwIfAborted();
      limited.signal.addEventListener("abort", () => reject(limited.signal.reason), { once: true });
      ask.call(primary, limited.signal).then(resolve, reject);
    });
  } finally {
    clock.clearTimer(timer);
    signal.removeEventListener("abort", abort);
  }
}
