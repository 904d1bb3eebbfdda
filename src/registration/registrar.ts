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
}

/** The status that an instance gives itself. Only `up` is routable. */
export type InstanceStatus = "up" | "down" | "out-of-service";

/** A registered instance, renewed in the background by a timer that keeps no process alive. Disposing it deregisters. */
export interface Registration extends AsyncDisposable {
  /** Unique in the registry. */
  readonly id: string;
  /** The newest status, also while it could not be reported. An instance that the registry has forgotten is registered again with it. */
  readonly status: InstanceStatus;
  /**
   * Reports a status. Rejects with `ERR_MESH_REGISTRATION` when that fails (the next renewal reports it again) and after
   * {@link deregister}, and with a `TypeError` on a status that does not exist.
   */
  setStatus(status: InstanceStatus): Promise<void>;
  /**
   * Ends the renewals and deregisters, after a call that is under way. Idempotent; a call after one that failed tries again. Rejects with
   * `ERR_MESH_REGISTRATION` when that fails, or with the signal's reason.
   */
  deregister(signal?: AbortSignal): Promise<void>;
}

/** A registry as a place to register. */
export interface Registrar {
  /**
   * Resolves once the registry has accepted the instance as `up`, then keeps it registered, through restarts of the registry too, until
   * the registration is disposed. Rejects with `ERR_MESH_REGISTRATION`, or with the signal's reason.
   */
  register(instance: Instance, signal?: AbortSignal): Promise<Registration>;
}
