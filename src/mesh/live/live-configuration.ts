import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { ConfigurationReading } from "../../core/observing/reading.ts";
import { quoted } from "../../core/text/clean-text.ts";
import type { RouteSource } from "../../routing/route-source.ts";
import { type ChangedOptions, checkMeshOptions, type MeshOptions } from "../mesh-options.ts";
import type { Services } from "../services.ts";
import { changesBetween } from "./changes.ts";
import { Configuration, type ConfigurationParts } from "./configuration.ts";
import type { PreparedStep } from "./prepared-step.ts";

/** Where other options come from, for events. */
export interface ConfigurationSource {
  /** `mesh.reconfigure`, or the path of a file. */
  readonly source: string;
  /** Options that the source has otherwise and that a mesh which runs does not take. */
  readonly restart?: readonly string[];
}

/** The parts that {@link LiveConfiguration} works with. */
export interface LiveConfigurationParts extends Omit<ConfigurationParts, "told"> {
  readonly clock: Clock;
  /** Those that are watched. */
  readonly services: () => Pick<Services, "all" | "get">;
}

/** The configuration in force, and the step to another one. */
export class LiveConfiguration {
  current: Configuration;
  readonly #parts: LiveConfigurationParts & ConfigurationParts;
  #source = "createMesh";
  #sinceMs: number;
  #restart: readonly string[] = [];
  #refusal: { readonly source: string; readonly error: string; readonly atMs: number } | undefined = undefined;
  #isStepping = false;

  constructor(options: MeshOptions, parts: LiveConfigurationParts) {
    const told = {
      configured: ({ name }: RouteSource) => {
        this.#forgetSubsets();
        this.#configured(["routes"], { source: name, restart: this.#restart });
      },
      refused: ({ name }: RouteSource, error: Error) => this.refuse(name, error),
    };
    this.#parts = { ...parts, told };
    this.#sinceMs = parts.clock.wallNow();
    this.current = new Configuration(options, this.#parts);
    this.current.routing?.enter();
  }

  /**
   * Puts other options in force: those that are given replace those before, all others stay. All of it happens in one step, or nothing.
   * Returns the names of the options that differ.
   * @throws TypeError or RangeError for wrong options and for those that only a new mesh takes; what the program's own code throws when it is built.
   */
  reconfigure(given: ChangedOptions, { source, restart = [] }: ConfigurationSource): readonly string[] {
    try {
      const changed = this.#step(given);
      this.#configured(changed, { source, restart });
      return changed;
    } catch (error) {
      this.refuse(source, error as Error);
      throw error;
    }
  }

  #configured(changed: readonly string[], { source, restart }: Required<ConfigurationSource>): void {
    this.#source = source;
    this.#sinceMs = this.#parts.clock.wallNow();
    if (this.#refusal?.source === source) this.#refusal = undefined;
    this.#restart = restart;
    this.#parts.observers.emit?.({ type: "configured", source, changed, restart });
  }

  /** Notes, and tells observers, that a source has options that cannot be used. Those in force stay. */
  refuse(source: string, error: Error): void {
    this.#refusal = { source, error: describeError(error), atMs: this.#parts.clock.wallNow() };
    this.#parts.observers.emit?.({ type: "configuration-refused", source, error });
  }

  /** Takes back that a source was refused: what it has is in force again. */
  confirm(source: string): void {
    if (this.#refusal?.source === source) this.#refusal = undefined;
  }

  read(): ConfigurationReading {
    const ageMs = Math.max(0, this.#parts.clock.wallNow() - this.#sinceMs);
    return { source: this.#source, sinceMs: this.#sinceMs, ageMs, restart: this.#restart, refusal: this.#refusal };
  }

  /** The lists of subsets are kept by those of the routes, which are others now. */
  #forgetSubsets(): void {
    for (const service of this.#parts.services().all) service.forgetSubsets();
  }

  #step(given: ChangedOptions): readonly string[] {
    const { options } = this.current;
    const closed = this.#parts.closedError("mesh.reconfigure");
    if (closed !== undefined) throw closed;
    if (this.#isStepping)
      throw new TypeError("mesh.reconfigure was called by what an option has made, while another configuration was built");
    const next = { ...options, ...given } as MeshOptions;
    checkMeshOptions(next);
    const services = this.#parts.services();
    const { changed, restart } = changesBetween(options, next, (name) => services.get(name) !== undefined);
    if (restart.length > 0)
      throw new TypeError(`mesh.reconfigure: ${restart.map(quoted).join(", ")} cannot change while the mesh runs: make a new one`);
    if (changed.length === 0) return changed;
    this.#isStepping = true;
    try {
      this.#replace(next);
    } finally {
      this.#isStepping = false;
    }
    return changed;
  }

  #replace(options: MeshOptions): void {
    const former = this.current;
    const prepared: PreparedStep[] = [];
    let next: Configuration;
    try {
      next = new Configuration(options, this.#parts, former);
      for (const service of this.#parts.services().all) {
        const { options: own, interceptors } = next.of(service.name);
        prepared.push(service.prepare(own, interceptors, next));
      }
    } catch (error) {
      for (const step of prepared) step.abandon();
      throw error;
    }
    // From here on nothing throws, and no call comes in between.
    for (const step of prepared) step.commit();
    this.current = next;
    this.#parts.tracing.traceRatio = options.traceRatio ?? 0;
    if (former.routing === next.routing) return;
    former.routing?.retire();
    if (next.routing === undefined) this.#parts.canaries.keep(new Set());
    else next.routing.enter();
    this.#forgetSubsets();
  }
}
