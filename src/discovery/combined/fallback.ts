import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { checkFlag, checkFunction, checkKeys, checkNumber, checkObject, maxTimerMs } from "../../core/options.ts";
import type { Discovery } from "../discovery.ts";
import { closeAll, emptyPolicyOf, nameOf, requireDiscovery } from "./combined.ts";
import { type FallbackChoice, FallbackPair, type FallbackPairOptions } from "./fallback-pair.ts";
import type { Source, SourceErrorListener } from "./source.ts";

/** Options of {@link fallback}. */
export interface FallbackOptions {
  /**
   * How long the primary may be silent at first, or fail after it had answered, before the secondary is used; in
   * milliseconds, 500 by default: less than the mesh's `discoveryTimeoutMs`, so that the first call sees the secondary.
   */
  readonly switchAfterMs?: number;
  /** `true`: the secondary is used also while the primary lists no instance. `false` by default. */
  readonly shouldSwitchOnEmpty?: boolean;
  /** Told of every failure of either source. */
  readonly onError?: SourceErrorListener;
  /** Told when `service` goes over to the other source. Must not throw. */
  readonly onSwitch?: (service: string, to: FallbackChoice) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

const known: readonly (keyof FallbackOptions)[] = ["switchAfterMs", "shouldSwitchOnEmpty", "onError", "onSwitch", "clock", "random"];

/**
 * The endpoints of `primary`; those of `secondary` while the primary fails. The primary is asked again in the background,
 * with backoff and jitter, and its first good answer brings it back. Throws `ERR_MESH_DISCOVERY` only while both fail.
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
  return {
    name: `${nameOf(primary)}, else ${nameOf(secondary)}`,
    emptyPolicy: emptyPolicyOf(both),
    async *watch(service, signal) {
      if (signal.aborted) return;
      const pair = new FallbackPair({ ...settings, service });
      try {
        let told: Source | undefined;
        let toldAnswers = 0;
        while (!signal.aborted) {
          const source = pair.choose();
          const { endpoints, answers } = source;
          if (endpoints === undefined || (source === told && answers === toldAnswers)) {
            await pair.changes.wait(signal);
          } else {
            told = source;
            toldAnswers = answers;
            // Also when nothing changed: it confirms that the data is of now.
            yield source.listed;
          }
        }
      } finally {
        await pair.stop();
      }
    },
    ...(primary.services || secondary.services ? { services: (signal: AbortSignal) => catalogueOf(settings, signal) } : {}),
    close: () => closeAll(both),
  };
}

type Settings = Omit<FallbackPairOptions, "service">;

/** The first catalogue that is there, answers in time and, where that is asked for, is not empty. */
async function catalogueOf(settings: Settings, signal: AbortSignal): Promise<readonly string[]> {
  const { primary, secondary, shouldSwitchOnEmpty, onError } = settings;
  if (primary.services === undefined) return (await secondary.services?.(signal)) ?? [];
  if (secondary.services === undefined) return primary.services(signal);
  try {
    const names = await inTime(settings, signal, primary.services);
    if (names.length > 0 || !shouldSwitchOnEmpty) return names;
  } catch (error) {
    signal.throwIfAborted();
    onError?.(error, "", primary);
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
