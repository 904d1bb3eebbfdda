import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { quoted } from "../../core/text/clean-text.ts";
import type { ListedEndpoint } from "../../discovery/file/service-list.ts";
import { faultOf } from "../grammar/directive.ts";
import type { ServerSpec, UpstreamSpec } from "./upstream-spec.ts";

/** All addresses of a name, in the order of the resolver. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** Asks the resolver of the machine, as nginx does when it starts. */
export const systemResolver: Resolve = async (name) => {
  const found = await lookup(name, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
};

/** Names that are resolved at a time. */
const atOnce = 16;

/**
 * The servers of an upstream as instances: one for each address of a name, all of them with what nginx needs to choose among them.
 * Rejects with a NginxError for a name that has no address.
 */
export async function endpointsOf(
  upstream: UpstreamSpec,
  isSecure: boolean,
  resolve: Resolve | undefined,
): Promise<readonly ListedEndpoint[]> {
  const addresses = resolve === undefined ? undefined : await resolved(upstream.servers, resolve);
  const counts = new Map<string, number>();
  return upstream.servers.flatMap((server) =>
    (addresses?.get(server.host) ?? [server.host]).map((host) => {
      const base =
        server.socketPath === undefined ? `${host.includes(":") ? `[${host}]` : host}:${server.port}` : `unix:${server.socketPath}`;
      const count = (counts.get(base) ?? 0) + 1;
      counts.set(base, count);
      return endpointOf(server, host, count === 1 ? base : `${base}#${count}`, isSecure);
    }),
  );
}

function endpointOf(server: ServerSpec, host: string, id: string, isSecure: boolean): ListedEndpoint {
  const { socketPath, weight, maxConnections, maxFails, failTimeoutMs, isBackup, isDown } = server;
  const facts = {
    ...(isBackup ? { "nginx.backup": "true" } : {}),
    ...(isDown ? { "nginx.down": "true" } : {}),
    ...(maxConnections === 0 ? {} : { "nginx.maxConnections": String(maxConnections) }),
    ...(maxFails === 1 ? {} : { "nginx.maxFails": String(maxFails) }),
    ...(failTimeoutMs === 10_000 ? {} : { "nginx.failTimeoutMs": String(failTimeoutMs) }),
    ...(server.server === `${host}:${server.port}` ? {} : { "nginx.server": server.server }),
  };
  return {
    id,
    host,
    port: server.port,
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(weight === 1 ? {} : { weight }),
    ...(isSecure ? { secure: true } : {}),
    ...(Object.keys(facts).length === 0 ? {} : { metadata: facts }),
  };
}

async function resolved(servers: readonly ServerSpec[], resolve: Resolve): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = new Map(
    servers.filter(({ host, socketPath }) => socketPath === undefined && isIP(host) === 0).map((server) => [server.host, server]),
  );
  const addresses = new Map<string, readonly string[]>();
  const left = [...names.values()];
  const work = async (): Promise<void> => {
    for (let server = left.pop(); server !== undefined; server = left.pop()) {
      const { host, directive } = server;
      const found = await resolve(host).catch((error: NodeJS.ErrnoException) => {
        throw faultOf(directive, `${quoted(host)} has no address (${error.code ?? error.message})`);
      });
      if (found.length === 0) throw faultOf(directive, `${quoted(host)} has no address`);
      addresses.set(host, found);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return addresses;
}
