import type { EventSink, InstanceStateEvent } from "../../src/core/observing/events.ts";
import type { InstanceState, Upstream } from "../../src/core/upstream.ts";

/** The state of an instance, with a word of its own while a probe is under way. */
export function stateOf({ state, wantsProbe }: Pick<Upstream, "state" | "wantsProbe">): InstanceState | "being probed" {
  return state === "probing" && !wantsProbe ? "being probed" : state;
}

/** Takes the events about states of instances, and refuses any other. */
export function onState(tell: (event: InstanceStateEvent) => void): EventSink {
  return {
    emit(event) {
      if (event.type !== "instance-state") throw new Error(`an event of the type ${event.type}`);
      tell(event);
    },
  };
}
