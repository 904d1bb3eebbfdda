import type { Clock, Random } from "./clock.ts";
import type { Interceptor } from "./dispatch.ts";
import type { EventSink } from "./observing/events.ts";
import type { ServiceReading } from "./observing/reading.ts";
import type { OptionRules, OptionTable, Settled } from "./settings/option-table.ts";
import type { Stage } from "./stages/stage.ts";

/** The parts that every layer of a service's pipeline is built from. A layer that needs more of them has a type of its own. */
export interface LayerParts {
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Takes the events that the layer reports. */
  readonly events: EventSink;
  /** The rule for whose calls alone the layer is built; `undefined` for a layer of all calls of the service. */
  readonly rule?: string | undefined;
}

/** A layer, built for one service: an interceptor or a stage. */
export type BuiltLayer = BuiltParts & ({ readonly interceptor: Interceptor } | { readonly stage: Stage });

interface BuiltParts {
  /** The numbers of the layer at this moment, as a part of the service's. */
  readonly reading?: (() => Partial<ServiceReading>) | undefined;
  /** Releases timers and other resources when the service is closed. */
  readonly dispose?: (() => void) | undefined;
  /**
   * Prepares other options for a layer that goes on with what it knows, such as what is in flight. Returns the step that puts them in force, which throws
   * nothing; `undefined` where they switch the layer off. It may throw, and changes nothing before the step. A layer without it is built anew.
   */
  adjust?(given: object): (() => void) | undefined;
  /** The options have switched the layer off: what waits in it goes on, and calls that come yet pass. */
  readonly retire?: (() => void) | undefined;
}

/**
 * A policy as the pipeline knows it: its options with their checks and defaults, and how it is built from them. A new policy is a file
 * with a layer in it, and a line in `mesh/pipeline.ts`.
 */
export interface Layer<Options extends object, Parts> {
  /** The name in the documentation. */
  readonly name: string;
  /** The options of the mesh that configure the layer. */
  readonly options: OptionTable<Options>;
  /** Builds the layer for one service; `undefined` where the options switch it off. */
  build(given: Options, parts: Parts): BuiltLayer | undefined;
}

/** Defines a layer. `build` gets the options with the defaults filled in, and returns the built layer or its interceptor alone. */
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
