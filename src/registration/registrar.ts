/** The way a registry finds out that an instance is alive. */
export type HealthCheck =
  /** The instance reports by itself; silence for `ttlMs` counts as failure. The default. */
  | { readonly type: "ttl"; readonly ttlMs?: number }
  /** The registry asks `path` of the instance by HTTP. */
  | { readonly type: "http"; readonly path: string; readonly intervalMs?: number; readonly timeoutMs?: number; readonly secure?: boolean }
  /** The registry opens a connection to the instance. */
  | { readonly type: "tcp"; readonly intervalMs?: number; readonly timeoutMs?: number }
  /** The registry asks the instance by the gRPC health protocol. */
  | {
      readonly type: "grpc";
      readonly service?: string;
      readonly intervalMs?: number;
      readonly timeoutMs?: number;
      readonly secure?: boolean;
    };

/** An instance of a service to register. */
export interface Instance {
  readonly service: string;
  /** 1–65535. */
  readonly port: number;
  /** The address that others reach it at. Absent: the registry's default (Consul: the agent's address; Eureka: the host's name and first address). */
  readonly host?: string;
  /** Unique in the registry; 1–256 printable characters, neither `.` nor `..`. Absent: service, host and port joined. */
  readonly id?: string;
  /** `true` when the instance speaks TLS. */
  readonly secure?: boolean;
  /** Relative share of the load, 1–65535; absent means 1. */
  readonly weight?: number;
  /** Failure domain (availability zone, datacentre). */
  readonly zone?: string;
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Absent: `{ type: "ttl" }` where the registry has it. */
  readonly check?: HealthCheck;
  /** The status to begin with; absent means `up`. */
  readonly initialStatus?: InstanceStatus;
}

/** The status that an instance gives itself. Only `up` is routable. */
export type InstanceStatus = "up" | "down" | "out-of-service";

/** All of {@link InstanceStatus}. */
export const instanceStatuses: readonly InstanceStatus[] = ["up", "down", "out-of-service"];

/** A registered instance, renewed in the background by a timer that keeps no process alive. Disposing it deregisters. */
export interface Registration extends AsyncDisposable {
  /** Unique in the registry. */
  readonly id: string;
  /** The newest status, also while it could not be reported. An instance that the registry has forgotten is registered again with it. */
  readonly status: InstanceStatus;
  /** The time between two renewals, in milliseconds; absent or `Infinity` where there are none. */
  readonly renewMs?: number;
  /**
   * Reports a status. Rejects with `ERR_MESH_REGISTRATION` when that fails (the next renewal reports it again) and after
   * {@link deregister}, and with a `TypeError` on a status that does not exist.
   */
  setStatus(status: InstanceStatus): Promise<void>;
  /**
   * Changes the weight, 1–65535, and keeps the status and what the registry knows of it. Rejects as {@link setStatus} does, and with a
   * `RangeError` on another number. Absent where a registry knows no weights.
   */
  setWeight?(weight: number): Promise<void>;
  /**
   * Ends the renewals and deregisters, after a call that is under way. Idempotent; a call after one that failed tries again. Rejects with
   * `ERR_MESH_REGISTRATION` when that fails, or with the signal's reason.
   */
  deregister(signal?: AbortSignal): Promise<void>;
  /**
   * Ends the renewals and leaves the entry in the registry, to a successor that registers under the same id, such as another worker of one server.
   * Resolves when no call of this registration can reach the registry any more; {@link deregister} does nothing from then on. Never rejects. Absent
   * where a registrar cannot: the entry is removed then, before the successor registers.
   */
  abandon?(): Promise<void>;
}

/**
 * News of a registration after the registry has accepted it.
 *
 * - `failed`: it could not be renewed, which is tried again.
 * - `forgotten`: the registry did not know it any more, and has taken it again.
 * - `replaced`: another process has registered under its id. It is left to that process until the registry knows it no more.
 * - `renewed`: the registry has it, after another report.
 */
export type RegistrationReport =
  | { readonly type: "failed" | "forgotten" | "replaced"; readonly error: Error }
  | { readonly type: "renewed"; readonly error?: undefined };

/** The owner of a registration, such as a mesh, as a registrar sees it. */
export interface RegistrationOwner {
  /** Whether a caller waits for `register`; otherwise it must not keep the process alive. */
  readonly isWaiting: boolean;
  /** The status to announce the instance with, read before each attempt. */
  status(): InstanceStatus;
  /** Takes the news of a registration. Does not throw. */
  onReport(report: RegistrationReport): void;
}

/** A registry as a place to register. */
export interface Registrar {
  /** The kind of registry and its address, for messages: `consul at http://127.0.0.1:8500`. */
  readonly name?: string;
  /**
   * The time after which callers know that an instance has left, or is out of service, in milliseconds: how long it has to serve on. Absent
   * where that is not known.
   */
  readonly callersKnowAfterMs?: number;
  /**
   * Resolves once the registry has accepted the instance with its status, then keeps it registered, through restarts of the registry too,
   * until the registration is disposed. Rejects with `ERR_MESH_REGISTRATION`, or with the signal's reason.
   *
   * With an `owner`, the status is the owner's, not `initialStatus`, and a rejection comes after the registry has been asked to remove what an
   * attempt may have left there.
   */
  register(instance: Instance, signal?: AbortSignal, owner?: RegistrationOwner): Promise<Registration>;
  /**
   * Checks what can be known of an instance without asking the registry. Absent where `register` alone can tell.
   * @throws TypeError or RangeError naming the field and its value.
   */
  check?(instance: Instance): void;
}
