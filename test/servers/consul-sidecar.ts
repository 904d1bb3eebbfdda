import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { requireServer } from "./available.ts";
import type { ConsulServer } from "./consul.ts";
import { connectsTo } from "./nginx.ts";
import { freePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";

/** A real Envoy as the sidecar of a service of Consul, configured by Consul. */
export interface ConsulSidecar extends ServerProcess {
  /** The port for others of the mesh, which speaks mutual TLS. */
  readonly port: number;
  /** The port of each upstream, by its name, in clear text for the service itself. */
  readonly upstreamPorts: ReadonlyMap<string, number>;
  /** The base of the administration interface. */
  readonly adminUrl: string;
}

/** Options of {@link startConsulSidecar}. */
export interface ConsulSidecarOptions {
  readonly service: string;
  /** The port of the service behind it. */
  readonly servicePort: number;
  /** Services that it is to reach. */
  readonly upstreams?: readonly string[];
}

const host = "127.0.0.1";

/** Registers a service with a sidecar at an agent that has `grpc`, and starts the sidecar. Resolves when it takes connections. */
export const startConsulSidecar = async (
  consul: ConsulServer,
  { service, servicePort, upstreams = [] }: ConsulSidecarOptions,
): Promise<ConsulSidecar> => {
  const [port = 0, adminPort = 0, ...others] = await freePorts(2 + upstreams.length);
  const upstreamPorts = new Map(upstreams.map((name, at) => [name, others[at] as number]));
  const Upstreams = [...upstreamPorts].map(([DestinationName, LocalBindPort]) => ({ DestinationName, LocalBindPort }));
  const SidecarService = { Port: port, Address: host, Checks: [{ Name: "the service", AliasService: service }], Proxy: { Upstreams } };
  await consul.registerService({ Name: service, ID: service, Address: host, Port: servicePort, Connect: { SidecarService } });
  const program = join(requireServer("consul"), "consul");
  const envoy = join(requireServer("envoy"), "envoy");
  const adminUrl = `http://${host}:${adminPort}`;
  const server = await startProcess({
    name: "sidecar",
    async prepare(directory) {
      const args = ["connect", "envoy", "-sidecar-for", service, "-ignore-envoy-compatibility", "-bootstrap"];
      const places = ["-http-addr", consul.url, "-grpc-addr", `http://${host}:${consul.grpcPort}`, "-admin-bind", `${host}:${adminPort}`];
      const rights = consul.token === undefined ? [] : ["-token", consul.token];
      const { stdout } = await promisify(execFile)(program, [...args, ...places, ...rights, "-envoy-binary", envoy]);
      await writeFile(join(directory, "bootstrap.json"), stdout);
      return { file: envoy, args: ["-c", "bootstrap.json", "--concurrency", "1", "-l", "error", "--disable-hot-restart"] };
    },
    probe: (signal) => connectsTo(port, signal),
  });
  return Object.assign(server, { port, upstreamPorts, adminUrl });
};
