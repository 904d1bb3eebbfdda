import type { MeshRequest } from "../../core/dispatch.ts";

/** A value of the configuration in force, and the former ones for calls that began by earlier configurations. */
export class ByConfiguration<Value> {
  /** The value of the configuration in force. */
  current: Value;
  /** `undefined` where it never changes. */
  #configuration: object | undefined;
  // Configurations are held by the calls of theirs alone.
  readonly #earlier = new WeakMap<object, Value>();

  constructor(configuration: object | undefined, value: Value) {
    this.#configuration = configuration;
    this.current = value;
  }

  /** The value for a call: that of the configuration by which it began. */
  of({ call }: MeshRequest): Value {
    const configuration = call?.configuration;
    if (configuration === this.#configuration || configuration === undefined) return this.current;
    return this.#earlier.get(configuration) ?? this.current;
  }

  /** Puts another configuration in force. */
  replace(configuration: object, value: Value): void {
    if (this.#configuration !== undefined) this.#earlier.set(this.#configuration, this.current);
    this.#configuration = configuration;
    this.current = value;
  }
}
