import { existsSync } from "node:fs";
import { join } from "node:path";
import { requireServer } from "./available.ts";
import { classArchive, eurekaCommand } from "./eureka-command.ts";
import { type EurekaRegistration, type EurekaStatus, eurekaInstance, eurekaInstanceId } from "./eureka-instance.ts";
import { requestJson } from "./json-request.ts";
import { freePorts, startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";

/** How a Eureka server is started. */
export interface EurekaOptions {
  /** The address it listens on, 127.0.0.1 unless told otherwise. */
  readonly host?: string;
  /** The port, a free one unless told otherwise. */
  readonly port?: number;
  /** Together with `password`: the user of HTTP basic authentication, without which everybody may do everything. */
  readonly user?: string;
  readonly password?: string;
  /** The base URLs of all servers of a cluster, itself included; {@link startEurekaPeers} does it all. */
  readonly peers?: readonly string[];
  /** Whether it keeps expired instances when many expire at once, as a production server does: false. */
  readonly selfPreservation?: boolean;
  /** Further Spring properties. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** A real Eureka server; its delays are short (see eureka/application.yml), and without peers a restart empties it. */
export interface EurekaServer extends ServerProcess {
  /** The service URL, `http://host:port/eureka`; without user and password. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** GETs a path below the service URL, such as "/apps". */
  get(path: string): Promise<unknown>;
  /** Registers an instance, or replaces it, and returns its id. */
  register(registration: EurekaRegistration): Promise<string>;
  /** Renews the lease of an instance; rejects for one that isn't known. */
  heartbeat(app: string, instanceId: string): Promise<void>;
  /** Overrides the status of an instance. */
  setStatus(app: string, instanceId: string, status: EurekaStatus): Promise<void>;
  /** Takes a status override back. */
  clearStatus(app: string, instanceId: string): Promise<void>;
  /** Removes an instance. */
  deregister(app: string, instanceId: string): Promise<void>;
}

const springProperties = (options: EurekaOptions, host: string, port: number): Record<string, string> => {
  const { user = "eureka", password, peers, selfPreservation = false, properties } = options;
  return {
    "server.address": host,
    "server.port": String(port),
    "eureka.instance.hostname": host,
    "eureka.server.enable-self-preservation": String(selfPreservation),
    ...(password === undefined ? {} : { "spring.security.user.name": user, "spring.security.user.password": password }),
    ...(peers === undefined
      ? {}
      : {
          "eureka.client.service-url.defaultZone": peers.map((url) => `${url}/`).join(","),
          // A peer that comes back takes the registry over from the others before it answers.
          "eureka.client.fetch-registry": "true",
          "eureka.server.registry-sync-retries": "5",
          "eureka.server.registry-sync-retry-wait-ms": "200",
        }),
    ...properties,
  };
};

/** Starts a Eureka server and resolves when it answers. */
export const startEureka = async (options: EurekaOptions = {}): Promise<EurekaServer> => {
  const root = requireServer("eureka");
  const { host = "127.0.0.1", user = "eureka", password } = options;
  const headers: Record<string, string> =
    password === undefined ? {} : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
  const archive = existsSync(join(root, classArchive)) ? `-XX:SharedArchiveFile=${classArchive}` : "-Xshare:auto";

  const launch = async ([port = 0]: readonly number[]): Promise<{ server: ServerProcess; port: number }> => {
    const server = await startProcess({
      name: "eureka",
      prepare: (directory) => eurekaCommand(root, directory, archive, springProperties(options, host, port)),
      async probe(signal) {
        await requestJson(`http://${host}:${port}/eureka/apps`, { signal, headers });
      },
      deadlineMs: 90_000,
    });
    return { server, port };
  };

  const { server, port } = options.port === undefined ? await startOnFreePorts(1, host, launch) : await launch([options.port]);
  const url = `http://${host}:${port}/eureka`;
  const instanceUrl = (app: string, id: string): string => `${url}/apps/${encodeURIComponent(app)}/${encodeURIComponent(id)}`;

  return Object.assign(server, {
    url,
    host,
    port,
    get: (path: string) => requestJson(`${url}${path}`, { headers }),
    async register(registration: EurekaRegistration) {
      const body = eurekaInstance(registration);
      await requestJson(`${url}/apps/${encodeURIComponent(registration.app)}`, { method: "POST", body, headers });
      return eurekaInstanceId(registration);
    },
    async heartbeat(app: string, instanceId: string) {
      await requestJson(instanceUrl(app, instanceId), { method: "PUT", headers });
    },
    async setStatus(app: string, instanceId: string, status: EurekaStatus) {
      await requestJson(`${instanceUrl(app, instanceId)}/status?value=${status}`, { method: "PUT", headers });
    },
    async clearStatus(app: string, instanceId: string) {
      await requestJson(`${instanceUrl(app, instanceId)}/status`, { method: "DELETE", headers });
    },
    async deregister(app: string, instanceId: string) {
      await requestJson(instanceUrl(app, instanceId), { method: "DELETE", headers });
    },
  });
};

/**
 * Starts a cluster of Eureka servers that replicate to each other, on 127.0.0.2, 127.0.0.3 and so on: Eureka tells itself
 * from its peers by the host alone, so two servers on one address never replicate. Linux only, where all of 127/8 is there.
 */
export const startEurekaPeers = async (
  count: number,
  options: Omit<EurekaOptions, "host" | "port" | "peers"> = {},
): Promise<readonly EurekaServer[]> => {
  const { user = "eureka", password } = options;
  // The peers get them in a URL, of which Eureka decodes nothing.
  if (!/^[\w.~-]+$/.test(user + (password ?? ""))) {
    throw new RangeError("user and password of Eureka peers may hold only letters, digits and -._~");
  }
  const credentials = password === undefined ? "" : `${user}:${password}@`;
  const places = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const host = `127.0.0.${index + 2}`;
      const [port = 0] = await freePorts(1, host);
      return { host, port };
    }),
  );
  const peers = places.map(({ host, port }) => `http://${credentials}${host}:${port}/eureka`);
  const results = await Promise.allSettled(places.map((place) => startEureka({ ...options, ...place, peers })));
  const servers = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await Promise.all(servers.map((server) => server.stop()));
    throw failed.reason;
  }
  return servers;
};
