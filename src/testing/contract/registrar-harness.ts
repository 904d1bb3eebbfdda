import type { Instance, Registrar } from "../../registration/registrar.ts";

/** An instance as a reader of the registry sees it. */
export interface ListedInstance {
  readonly id?: string;
  readonly host: string;
  readonly port: number;
}

/** One registrar with a registry that the suite can read. Made anew for every case. */
export interface RegistrarHarness {
  /** What is tested. */
  readonly registrar: Registrar;
  /** What the suite registers; with a `host`, so that it can be told apart. */
  readonly instance: Instance;
  /** What a reader of the registry is told to route to, of `instance.service`. */
  listed(): Promise<readonly ListedInstance[]>;
  /** Makes the registry lose its data, as a restart of an agent without a disk does. */
  forget?(): Promise<void>;
  /** Releases everything. */
  close(): Promise<void>;
  /** How soon the registry must show a change, in milliseconds; 4,000 by default: before the time limit that test runners have. */
  readonly withinMs?: number;
}

/** What not every registry has. `forgetting`: the harness can make it lose its data. */
export type RegistrarFeature = "forgetting";
