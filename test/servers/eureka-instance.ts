/** The states that Eureka knows. */
export type EurekaStatus = "UP" | "DOWN" | "STARTING" | "OUT_OF_SERVICE" | "UNKNOWN";

/** One instance as the tests describe it. */
export interface EurekaRegistration {
  /** The application's name; Eureka turns it to upper case. */
  readonly app: string;
  readonly port: number;
  /** The id, `host:app:port` unless told otherwise. */
  readonly instanceId?: string;
  readonly host?: string;
  readonly status?: EurekaStatus;
  /** The virtual host name, the lower-case application name unless told otherwise. */
  readonly vip?: string;
  /** A port for HTTPS; without one there is none. */
  readonly securePort?: number;
  /** How long it lives without a heartbeat; 90 unless told otherwise, and Eureka waits for twice as long once it has had one. */
  readonly leaseSeconds?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The instance id of a registration, whether given or made up. */
export const eurekaInstanceId = (registration: EurekaRegistration): string => {
  const { app, port, host = "127.0.0.1", instanceId } = registration;
  return instanceId ?? `${host}:${app}:${port}`;
};

/** The body of a registration, as `POST /eureka/apps/{app}` wants it. */
export const eurekaInstance = (registration: EurekaRegistration): unknown => {
  const { app, port, host = "127.0.0.1", status = "UP", vip = app.toLowerCase() } = registration;
  const { securePort, leaseSeconds = 90, metadata = {} } = registration;
  return {
    instance: {
      instanceId: eurekaInstanceId(registration),
      app: app.toUpperCase(),
      hostName: host,
      ipAddr: host,
      vipAddress: vip,
      secureVipAddress: vip,
      status,
      port: { $: port, "@enabled": "true" },
      securePort: { $: securePort ?? 443, "@enabled": String(securePort !== undefined) },
      dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
      leaseInfo: { renewalIntervalInSecs: Math.max(1, Math.floor(leaseSeconds / 3)), durationInSecs: leaseSeconds },
      metadata,
    },
  };
};
