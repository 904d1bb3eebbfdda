import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { requireServer } from "./available.ts";
import { consulCertificates } from "./consul-certificates.ts";
import { requestJson } from "./json-request.ts";
import { startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";

/** How a Consul agent is started. */
export interface ConsulOptions {
  /** Access control with the default policy "deny"; the management token is {@link ConsulServer.token}. */
  readonly acl?: boolean;
  /** HTTPS on a port of its own beside HTTP, with the authority {@link ConsulServer.ca}. */
  readonly tls?: boolean;
  /** A port by which sidecars are configured, {@link ConsulServer.grpcPort}. */
  readonly grpc?: boolean;
  /** The name of its datacentre, "dc1" unless told otherwise. With a name it can be joined with others by {@link ConsulServer.joinWan}. */
  readonly datacenter?: string;
  /** Further agent configuration, as in a Consul configuration file. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A service as `PUT /v1/agent/service/register` takes it. */
export interface ConsulService {
  readonly Name: string;
  readonly ID?: string;
  readonly Address?: string;
  readonly Port?: number;
  readonly Tags?: readonly string[];
  readonly Meta?: Readonly<Record<string, string>>;
  readonly Weights?: { readonly Passing: number; readonly Warning: number };
  readonly Check?: Readonly<Record<string, unknown>>;
  readonly Checks?: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

/** The token to send with a request: the management token unless told otherwise, "" for none. */
export interface ConsulRequest {
  readonly token?: string;
}

/** A real Consul server agent in development mode: everything it knows is in memory, so a restart empties it. */
export interface ConsulServer extends ServerProcess {
  /** The base of the HTTP API, `http://host:port`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Consul's own DNS server, by UDP and TCP. */
  readonly dnsPort: number;
  /** The base of the HTTPS API with `tls`. */
  readonly httpsUrl: string | undefined;
  /** The authority (PEM) that signed the HTTPS certificate with `tls`. */
  readonly ca: string | undefined;
  /** The management token with `acl`; the same one after a restart. */
  readonly token: string | undefined;
  /** The port by which sidecars are configured, with `grpc`. */
  readonly grpcPort: number | undefined;
  /** The port by which datacentres are joined, with `datacenter`. */
  readonly wanPort: number | undefined;
  /** Joins its datacentre with that of another server; each answers for both then. Resolves when both know it. */
  joinWan(other: ConsulServer): Promise<void>;
  /** GETs a path such as "/v1/catalog/services" and returns the parsed answer. */
  get(path: string, request?: ConsulRequest): Promise<unknown>;
  /** PUTs a JSON body, or a string as it is, and returns the parsed answer. */
  put(path: string, body?: unknown, request?: ConsulRequest): Promise<unknown>;
  /** Registers a service with the agent. */
  registerService(service: ConsulService): Promise<void>;
  /** Removes a service by its id. */
  deregisterService(id: string): Promise<void>;
  /** Sets a TTL check; the one check of a service with the id `web` is `service:web`. */
  setCheck(id: string, status: "passing" | "warning" | "critical", output?: string): Promise<void>;
  /** Puts a service into maintenance, or takes it out. */
  setMaintenance(serviceId: string, isOn: boolean): Promise<void>;
}

const host = "127.0.0.1";

const configuration = (options: ConsulOptions, token: string | undefined): Record<string, unknown> => ({
  // It would ask the vendor's site for news.
  disable_update_check: true,
  ...(token === undefined
    ? {}
    : {
        acl: {
          enabled: true,
          default_policy: "deny",
          // The agent token lets the agent write its own node and checks into the catalog.
          tokens: { initial_management: token, agent: token },
        },
      }),
  ...options.config,
});

/** Starts a Consul agent on free ports of 127.0.0.1 and resolves when it has a leader and its own node in the catalog. */
export const startConsul = async (options: ConsulOptions = {}): Promise<ConsulServer> => {
  const program = join(requireServer("consul"), "consul");
  const token = options.acl === true ? randomUUID() : undefined;
  let ca: string | undefined;

  const launch = async (ports: readonly number[]): Promise<{ server: ServerProcess; ports: readonly number[] }> => {
    const [http, dns, rpc, serf, https] = ports;
    const wan = options.datacenter === undefined ? -1 : ports[5];
    const grpc = options.grpc === true ? ports.at(-1) : -1;
    const flags = { http, dns, server: rpc, "serf-lan": serf, "serf-wan": wan, grpc, "grpc-tls": -1 };
    const server = await startProcess({
      name: "consul",
      async prepare(directory) {
        const config = configuration(options, token);
        if (options.tls === true) {
          const certificates = await consulCertificates(program, directory);
          ca = certificates.ca;
          const { caFile, certFile, keyFile } = certificates;
          config["tls"] = { https: { ca_file: caFile, cert_file: certFile, key_file: keyFile } };
          config["ports"] = { https };
        }
        const file = join(directory, "agent.json");
        await writeFile(file, JSON.stringify(config));
        const portFlags = Object.entries(flags).flatMap(([name, port]) => [`-${name}-port`, String(port)]);
        const fixed = ["-bind", host, "-client", host, "-node", "test-node", "-log-level", "warn"];
        if (options.datacenter !== undefined) fixed.push("-datacenter", options.datacenter);
        return { file: program, args: ["agent", "-dev", ...fixed, ...portFlags, "-config-file", file] };
      },
      async probe(signal) {
        const headers = token === undefined ? {} : { "x-consul-token": token };
        const found = await requestJson(`http://${host}:${http}/v1/health/service/consul`, { signal, headers });
        if (!Array.isArray(found) || found.length === 0) throw new Error("the agent is not in its own catalog yet");
      },
    });
    return { server, ports };
  };

  const count = options.datacenter === undefined ? (options.tls === true ? 5 : 4) : 6;
  const { server, ports } = await startOnFreePorts(options.grpc === true ? count + 1 : count, host, launch);
  const [port = 0, dnsPort = 0, , , extraPort] = ports;
  const wanPort = options.datacenter === undefined ? undefined : ports[5];
  const httpsPort = options.tls === true ? extraPort : undefined;
  const url = `http://${host}:${port}`;

  const send = (method: "GET" | "PUT", path: string, body: unknown, request: ConsulRequest = {}): Promise<unknown> => {
    const sent = request.token ?? token ?? "";
    return requestJson(`${url}${path}`, { method, body, headers: sent === "" ? {} : { "x-consul-token": sent } });
  };

  const knows = async (asked: string, count: number) => {
    const members = (await requestJson(`${asked}/v1/catalog/datacenters`)) as readonly string[];
    return members.length >= count;
  };

  return Object.assign(server, {
    wanPort,
    grpcPort: options.grpc === true ? ports.at(-1) : undefined,
    async joinWan(other: ConsulServer) {
      await send("PUT", `/v1/agent/join/${host}:${other.wanPort}?wan=1`, undefined);
      for (const each of [url, other.url]) while (!(await knows(each, 2))) await new Promise((resolve) => setTimeout(resolve, 50));
    },
    url,
    host,
    port,
    dnsPort,
    httpsUrl: httpsPort === undefined ? undefined : `https://${host}:${httpsPort}`,
    ca,
    token,
    get: (path: string, request?: ConsulRequest) => send("GET", path, undefined, request),
    put: (path: string, body?: unknown, request?: ConsulRequest) => send("PUT", path, body, request),
    async registerService(service: ConsulService) {
      await send("PUT", "/v1/agent/service/register", service);
    },
    async deregisterService(id: string) {
      await send("PUT", `/v1/agent/service/deregister/${encodeURIComponent(id)}`, undefined);
    },
    async setCheck(id: string, status: "passing" | "warning" | "critical", output = "") {
      await send("PUT", `/v1/agent/check/update/${encodeURIComponent(id)}`, { Status: status, Output: output });
    },
    async setMaintenance(serviceId: string, isOn: boolean) {
      const path = `/v1/agent/service/maintenance/${encodeURIComponent(serviceId)}?enable=${isOn}`;
      await send("PUT", path, undefined);
    },
  });
};
