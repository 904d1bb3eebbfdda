import { Boundary } from "./boundary/boundary.ts";
import { type BoundaryOption, boundaryOption } from "./boundary/boundary-options.ts";
import { type WatchOptions, watchOptions } from "./watch-options.ts";
import { Watcher, type WatcherOptions } from "./watcher.ts";
import { Uses } from "./watching/uses.ts";

/** The watch of a service's endpoints, as the options of the service have it. */
export interface ServiceWatch {
  readonly watcher: Watcher;
  /** With `watch: "on-use"`: to be told of each use. */
  readonly uses: Uses | undefined;
  /** The regions of the boundary, for messages. */
  readonly boundary: string | undefined;
}

/** Makes the watch of a service, without starting it. */
export function serviceWatch(
  options: WatchOptions & BoundaryOption,
  parts: Omit<WatcherOptions, "emptyPolicy" | "boundary" | "pace">,
): ServiceWatch {
  const { emptyPolicy, watch, refreshAfterMs } = watchOptions.settle(options);
  const { boundary: given } = boundaryOption.settle(options);
  const boundary = given === false ? undefined : new Boundary(given);
  const isAwaited = (): boolean => watcher.isAwaited;
  const onIdle = () => watcher.settle();
  const uses: Uses | undefined = watch === "on-use" ? new Uses({ refreshAfterMs, clock: parts.clock, isAwaited, onIdle }) : undefined;
  const watcher: Watcher = new Watcher({ ...parts, emptyPolicy, boundary, pace: uses });
  return { watcher, uses, boundary: boundary?.text };
}
