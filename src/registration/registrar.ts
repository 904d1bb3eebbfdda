/** How a registry finds out that an instance is alive. */
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

/** What a registry is told about a process that offers a service. */
export interface Instance {
  readonly service: string;
  /** 1–65535. */
  readonly port: number;
  /** The address others reach it at. Absent: the registry's default (Consul: the agent's address; Eureka: the host's name and first address). */
  readonly host?: string;
  /** Unique in the registry. Absent: service, host and port joined. */
  readonly id?: string;
  readonly secure?: boolean;
  /** 1–65535; absent means 1. */
  readonly weight?: number;
  readonly zone?: string;
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Absent: `{ type: "ttl" }` where the registry has it. */
  readonly check?: HealthCheck;
}

/** What an instance says of itself. Only `up` is routable. */
export type InstanceStatus = "up" | "down" | "out-of-service";

/** A registered instance. Disposing it stops the heartbeat and deregisters. */
export interface Registration extends AsyncDisposable {
  readonly id: string;
  /** The status the registry is told, also when it has to be told everything again after it lost its data. */
  readonly status: InstanceStatus;
  /** Tells the registry, and remembers it for every later heartbeat. */
  setStatus(status: InstanceStatus): Promise<void>;
  /** Stops the heartbeat and deregisters. Idempotent. Rejects with `ERR_MESH_REGISTRATION` when the registry can't be told. */
  deregister(signal?: AbortSignal): Promise<void>;
}

/** Makes an instance known. */
export interface Registrar {
  /**
   * Resolves once the registry has accepted the instance; then keeps it registered, through restarts of the registry too,
   * until the registration is disposed. Rejects with `ERR_MESH_REGISTRATION`.
   */
  register(instance: Instance, signal?: AbortSignal): Promise<Registration>;
}
