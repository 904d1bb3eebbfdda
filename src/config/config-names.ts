import type { Picker } from "../balancer/picker.ts";
import type { Observer } from "../core/observing/observer.ts";
import type { Discovery } from "../discovery/discovery.ts";
import type { IdentitySource } from "../identity/identity-source.ts";
import type { LimitAlgorithm } from "../policies/concurrency/limit-algorithm.ts";

/** Makes a value from the options that stand in the file, `{}` where there are none. It may throw; the error gets the place in the file. */
export type Make<Value> = (options: Readonly<Record<string, unknown>>) => Value | Promise<Value>;

/** The names that the program adds to those that a configuration may use. A name that is inmesh's own already is refused. */
export interface ConfigNames {
  /** Pickers by name: `picker: mine`, or `picker: { mine: { … } }`. */
  readonly pickers?: Readonly<Record<string, Make<Picker>>>;
  /** Sources of endpoints by name. */
  readonly discoveries?: Readonly<Record<string, Make<Discovery>>>;
  /** Identities of this process by name. */
  readonly identities?: Readonly<Record<string, Make<IdentitySource>>>;
  /** Limits of concurrency by name. */
  readonly limits?: Readonly<Record<string, Make<LimitAlgorithm>>>;
  /** Observers by name. */
  readonly observers?: Readonly<Record<string, Make<Observer>>>;
  /** Values by name, for what only code can be, such as functions: `authorize: ${code:allowed}`. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** The variables that `${env:NAME}` stands for. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}
