import type { Clock, Random } from "./clock.ts";
import type { Interceptor } from "./dispatch.ts";
import type { EventSink } from "./observing/events.ts";
import type { ServiceReading } from "./observing/reading.ts";
import type { OptionRules, OptionTable, Settled } from "./settings/option-table.ts";

/** What every layer of a service's pipeline is built from; a layer that needs more says so in its own type. */
export interface LayerParts {
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Where it reports what happens. */
  readonly events: EventSink;
}

/** A layer of one service's pipeline. */
export interface BuiltLayer {
  readonly interceptor: Interceptor;
  /** Its numbers at this moment, as a part of the service's. */
  readonly reading?: (() => Partial<ServiceReading>) | undefined;
  /** Releases timers and the like when the service is closed. */
  readonly dispose?: (() => void) | undefined;
}

/**
 * One policy as the pipeline knows it: which options it has, with their checks and defaults, and how it is built from them. A new policy
 * is a file with a layer in it, and a line in `mesh/pipeline.ts`.
 */
export interface Layer<Options extends object, Parts> {
  /** As documentation names it. */
  readonly name: string;
  /** The options of the mesh that it reads. */
  readonly options: OptionTable<Options>;
  /** The layer for one service; `undefined` where the options switch it off. */
  build(given: Options, parts: Parts): BuiltLayer | undefined;
}

/** Describes a layer; `build` gets its options with the defaults filled in. */
export function layer<Options extends object, Rules extends OptionRules<Options>, Parts>(definition: {
  readonly name: string;
  readonly options: OptionTable<Options, Rules>;
  build(settings: Settled<Rules>, parts: Parts): BuiltLayer | Interceptor | undefined;
}): Layer<Options, Parts> {
  const { name, options, build } = definition;
  return {
    name,
    options: options as unknown as OptionTable<Options>,
    build(given, parts) {
      const built = build(options.settle(given), parts);
      return typeof built === "function" ? { interceptor: built } : built;
    },
  };
}
