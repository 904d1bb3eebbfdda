import { describeError } from "../core/errors.ts";
import type { RegistryReading, RegistryState } from "../core/observing/reading.ts";
import type { Watcher } from "./watcher.ts";

/** The state of the source that `watcher` watches. It costs nothing unless it is called. */
export function registryState(source: string, watcher: Watcher): RegistryReading {
  const { lastError, failingMs } = watcher;
  const isFailing = failingMs !== undefined;
  return { source, state: stateOf(watcher), failingMs, error: isFailing ? describeError(lastError) : undefined };
}

function stateOf({ failingMs, answered, unconfirmed }: Watcher): RegistryState {
  if (failingMs !== undefined) return "failing";
  if (unconfirmed.length > 0) return "doubted";
  return answered ? "ok" : "waiting";
}
