import type { Instance, Registrar } from "../../registration/registrar.ts";

/** An instance as the registry lists it. */
export interface ListedInstance {
  readonly id?: string;
  readonly host: string;
  readonly port: number;
}

/** One registrar with a registry that the suite can read. Every case makes one. */
export interface RegistrarHarness {
  /** The registrar under test. */
  readonly registrar: Registrar;
  /** The instance to register, with a `host` by which it can be distinguished. */
  readonly instance: Instance;
  /** The routable instances of `instance.service`, read from the registry. */
  listed(): Promise<readonly ListedInstance[]>;
  /** Makes the registry lose its data, as a restart of an agent without a disk does. */
  forget?(): Promise<void>;
  /** Releases everything. */
  close(): Promise<void>;
  /** Time within which the registry must show a change, in milliseconds, less than the limit of test runners. Default 4,000. */
  readonly withinMs?: number;
}

/** A feature that not every registry has. `forgetting`: the harness can make it lose its data. */
export type RegistrarFeature = "forgetting";
