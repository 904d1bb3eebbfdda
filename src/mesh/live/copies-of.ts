import type { Clock } from "../../core/clock.ts";
import type { Dispatch } from "../../core/dispatch.ts";
import { type PropagateOption, propagate, propagateLayer } from "../../policies/propagate.ts";
import { CopyWay, type CopyWayParts } from "../../routing/mirror/copy-way.ts";
import { observeCopies } from "../../telemetry/observing/observe.ts";
import type { Observers } from "../../telemetry/observing/observers.ts";

/** The parts that the way of copies is made from. */
export interface CopiesParts extends Omit<CopyWayParts, "dispatch"> {
  readonly wire: Dispatch;
  readonly options: PropagateOption;
  readonly caller: string | undefined;
  readonly observers: Observers;
  readonly clock: Clock;
}

/** The way of copies of calls to one service, past its layers. */
export function copiesOf({ wire, options, caller, observers, clock, ...parts }: CopiesParts): CopyWay {
  const copied = observeCopies(observers)(wire);
  return new CopyWay({
    ...parts,
    dispatch: propagateLayer.options.settle(options).propagateDeadline ? propagate(clock, caller)(copied) : copied,
  });
}
