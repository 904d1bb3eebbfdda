import type { Interceptor, MeshRequest } from "../../core/dispatch.ts";
import type { ServiceOptions } from "../service-options.ts";

/** A configuration of a mesh, as a service sees it. */
export interface ServiceConfiguration {
  /** The options of a service, and its own interceptors. */
  of(service: string): { readonly options: ServiceOptions; readonly interceptors: readonly Interceptor[] };
}

/** A value of the configuration in force, and those of earlier configurations, for calls that began by them. */
export class ByConfiguration<Value> {
  /** The value of the configuration in force. */
  current: Value;
  /** `undefined` where it never changes. */
  #configuration: ServiceConfiguration | undefined;
  // Configurations are held by the calls of theirs alone.
  readonly #earlier = new WeakMap<object, Value>();
  readonly #late: (configuration: ServiceConfiguration) => Value;

  /** @param late makes the value for a call that began by a configuration before the first one here */
  constructor(configuration: ServiceConfiguration | undefined, value: Value, late: (configuration: ServiceConfiguration) => Value) {
    this.#configuration = configuration;
    this.current = value;
    this.#late = late;
  }

  /** The value for a call: that of the configuration by which it began. */
  of({ call }: MeshRequest): Value {
    const configuration = call?.configuration as ServiceConfiguration | undefined;
    if (configuration === this.#configuration || configuration === undefined) return this.current;
    return this.#earlier.get(configuration) ?? this.#add(configuration);
  }

  /** Puts another configuration in force. */
  replace(configuration: ServiceConfiguration, value: Value): void {
    if (this.#configuration !== undefined) this.#earlier.set(this.#configuration, this.current);
    this.#configuration = configuration;
    this.current = value;
  }

  #add(configuration: ServiceConfiguration): Value {
    const value = this.#late(configuration);
    this.#earlier.set(configuration, value);
    return value;
  }
}
