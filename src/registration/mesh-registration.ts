import type { RegistrationState } from "../core/observing/registration-state.ts";
import type { InstanceStatus, Registration } from "./registrar.ts";

/** A registration at one of its registries, at this moment. */
export interface RegistryStanding {
  /** The registrar's name, such as `consul at http://127.0.0.1:8500`. */
  readonly registry: string;
  readonly state: RegistrationState;
  /** The status that the registry has confirmed; `undefined` where it has confirmed none, or not the newest one. */
  readonly status: InstanceStatus | undefined;
  /** The failure behind the state `failing`, or of `deregister()`; else `undefined`. */
  readonly error: Error | undefined;
  /** {@link Registrar.callersKnowAfterMs} of the registrar. */
  readonly callersKnowAfterMs: number | undefined;
}

/** An instance that a mesh keeps registered, at one registry or at several. Disposing it deregisters, and so does closing the mesh. */
export interface MeshRegistration extends Registration {
  /** The name of the service that is registered. */
  readonly service: string;
  /** The status that is told to the registries: that of {@link setStatus} unless it is `up`, else that of `health`. */
  readonly status: InstanceStatus;
  /** The worst state of all registries. */
  readonly state: RegistrationState;
  /** Its registries, in the order in which they were given. */
  readonly registries: readonly RegistryStanding[];
  /** The longest time after which callers know that the instance has left, of those registries that tell one; `undefined` where none does. */
  readonly callersKnowAfterMs: number | undefined;
  /**
   * Resolves once all registries have the instance. Rejects with `ERR_MESH_REGISTRATION` when it is deregistered before, or with the
   * signal's reason.
   */
  whenRegistered(signal?: AbortSignal): Promise<void>;
  /**
   * Sets the status of this program. `down` and `out-of-service` stay, whatever `health` says; `up` hands over to it. Resolves once every
   * registry has it; one that has not accepted the instance yet is told with the registration. Rejects with `ERR_MESH_REGISTRATION`, which
   * names the registries that could not be told ({@link registries} has each one's error) and are told again with the next renewal.
   */
  setStatus(status: InstanceStatus): Promise<void>;
  /** Changes the weight at every registry; see {@link Registration.setWeight}. Rejects with a `TypeError` where a registrar cannot. */
  setWeight(weight: number): Promise<void>;
  /**
   * Ends it at all registries, what is not accepted yet too, and waits for each. Rejects with `ERR_MESH_REGISTRATION`, which names the
   * registries that failed: each of them lists the instance until it expires. A call after that tries those again.
   */
  deregister(signal?: AbortSignal): Promise<void>;
  /**
   * Ends it in this process and leaves the entries in the registries, to a successor that registers under the same id at once. Resolves when nothing of
   * it can reach them any more. A registry whose registrar cannot do that is told to remove the entry; rejects as {@link deregister} does where that fails.
   */
  abandon(): Promise<void>;
}
