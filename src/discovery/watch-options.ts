import { optionTable } from "../core/settings/option-table.ts";
import { atOnce, choice, number, timerMs } from "../core/settings/rules.ts";
import type { EmptyPolicy } from "./discovery.ts";

/** How a mesh uses its discovery, for each service. */
export interface WatchOptions {
  /** Waiting for a service's first endpoints, in milliseconds. @default 1000 */
  readonly discoveryTimeoutMs?: number;
  /** Whether a suddenly empty or much shorter answer of the registry is believed at once. @default what the adapter says, else "quarantine" */
  readonly emptyPolicy?: EmptyPolicy;
  /**
   * `always`: the source of endpoints is watched from the first call on. `on-use`: it is asked beside the first call after `refreshAfterMs`, and nothing
   * runs between calls; for functions, whose process stands still meanwhile, and for devices behind a slow or costly link. @default "always"
   */
  readonly watch?: "always" | "on-use";
  /** With `watch: "on-use"`: the age of the last answer from which on a call asks again, in milliseconds. @default 10000 */
  readonly refreshAfterMs?: number;
}

/** The rules of {@link WatchOptions}. */
export const watchOptions = optionTable<WatchOptions>()({
  discoveryTimeoutMs: atOnce(number({ default: 1_000, min: 0, unit: "ms" })),
  emptyPolicy: choice(["quarantine", "trust"], undefined, 'what the adapter says, else "quarantine"'),
  watch: choice(["always", "on-use"], "always"),
  refreshAfterMs: timerMs({ default: 10_000, min: 1 }),
});
