import { optionTable } from "../core/settings/option-table.ts";
import { choice, number } from "../core/settings/rules.ts";
import type { EmptyPolicy } from "./discovery.ts";

/** How a mesh uses its discovery, for each service. */
export interface WatchOptions {
  /** Waiting for a service's first endpoints, in milliseconds. @default 1000 */
  readonly discoveryTimeoutMs?: number;
  /** Whether a suddenly empty or much shorter answer of the registry is believed at once. @default what the adapter says, else "quarantine" */
  readonly emptyPolicy?: EmptyPolicy;
}

/** The rules of {@link WatchOptions}. */
export const watchOptions = optionTable<WatchOptions>()({
  discoveryTimeoutMs: number({ default: 1_000, min: 0, unit: "ms" }),
  emptyPolicy: choice(["quarantine", "trust"], undefined, 'what the adapter says, else "quarantine"'),
});
