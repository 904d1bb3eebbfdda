import type { RouteCanary } from "../route.ts";

/** {@link RouteCanary} with the defaults filled in. */
export interface CanarySettings {
  /** In percent. */
  readonly steps: readonly number[];
  /** The same, 0 to 1. */
  readonly shares: readonly number[];
  readonly stepMs: number;
  readonly minCalls: number;
  /** 0 to 1. */
  readonly maxExtraFailures: number;
  readonly maxSlowdown: number;
  readonly sharedKey: string | undefined;
}

/** The default of `steps`, in percent. */
export const defaultSteps: readonly number[] = [1, 5, 25, 50, 100];

/** Fills in the defaults of a canary that has been checked. */
export function canarySettings({
  steps = defaultSteps,
  stepMs = 60_000,
  minCalls = 100,
  maxExtraFailures = 1,
  maxSlowdown = 1.5,
  sharedKey,
}: RouteCanary): CanarySettings {
  const shares = steps.map((percent) => percent / 100);
  return { steps, shares, stepMs, minCalls, maxExtraFailures: maxExtraFailures / 100, maxSlowdown, sharedKey };
}
