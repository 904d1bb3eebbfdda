import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createMesh, type Mesh, type MeshOptions, type ServiceOptions, staticDiscovery } from "../../src/index.ts";
import { certificate } from "../support/certificate.ts";

/** The behaviour of one instance. */
export interface Part {
  /** Milliseconds until it answers. */
  readonly ms?: number;
  /** Share of requests that it answers with `status`. */
  readonly failing?: number;
  /** @default 503 */
  readonly status?: number;
  readonly zone?: string;
  readonly secure?: boolean;
  /** Nobody listens there. */
  readonly isDown?: boolean;
}

/** A service of a {@link Scene}. */
export interface SceneService {
  readonly parts: readonly Part[];
  /** Calls per second. */
  readonly rps: number;
  readonly options?: ServiceOptions;
  readonly paths?: readonly string[];
  /** In turn. @default GET alone */
  readonly methods?: readonly string[];
}

/** Real instances on loopback, a mesh over them, and traffic. */
export interface Scene extends AsyncDisposable {
  readonly mesh: Mesh;
  /** Stops an instance: connections to it are refused. */
  stop(service: string, index: number): Promise<void>;
}

/** Starts every instance and the traffic. */
export async function startScene(services: Readonly<Record<string, SceneService>>, options: Partial<MeshOptions> = {}): Promise<Scene> {
  const stops = new Map<string, (() => Promise<void>)[]>();
  const list: Record<string, { host: string; port: number; zone?: string; secure?: boolean }[]> = {};
  for (const [name, { parts }] of Object.entries(services)) {
    const started = await Promise.all(parts.map(startPart));
    stops.set(
      name,
      started.map(({ stop }) => stop),
    );
    list[name] = started.map(({ port }, index) => ({
      host: "127.0.0.1",
      port,
      ...(parts[index]?.zone !== undefined && { zone: parts[index].zone }),
      ...(parts[index]?.secure && { secure: true }),
    }));
    for (const [index, { isDown }] of parts.entries()) if (isDown) await started[index]?.stop();
  }
  const own = Object.fromEntries(Object.entries(services).map(([name, { options: each = {} }]) => [name, each]));
  const mesh = createMesh({
    discovery: staticDiscovery(list),
    tls: { ca: certificate.cert },
    drainTimeoutMs: 0,
    services: own,
    ...options,
  });
  const timers = Object.entries(services).map(([name, service]) => startTraffic(mesh, name, service));
  return {
    mesh,
    stop: async (service, index) => stops.get(service)?.[index]?.(),
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
      await mesh.close();
      await Promise.all([...stops.values()].flat().map((stop) => stop()));
    },
  };
}

async function startPart({ ms = 1, failing = 0, status = 503, secure = false }: Part): Promise<{ port: number; stop(): Promise<void> }> {
  const listener: RequestListener = (_request, response) => {
    setTimeout(
      () => {
        if (Math.random() < failing) response.statusCode = status;
        response.end("{}");
      },
      ms * (0.6 + 0.8 * Math.random()),
    );
  };
  const server = secure ? createTlsServer(certificate, listener) : createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let stopped: Promise<unknown> | undefined;
  const stop = async () => {
    if (stopped === undefined) {
      stopped = once(server, "close");
      server.close();
      server.closeAllConnections();
    }
    await stopped;
  };
  return { port, stop };
}

/** An even stream of calls; a tick of the timer makes as many as have fallen due. */
function startTraffic(mesh: Mesh, service: string, { rps, paths = ["/"], methods = ["GET"] }: SceneService): NodeJS.Timeout {
  const startedAt = performance.now();
  let made = 0;
  return setInterval(() => {
    for (const due = (performance.now() - startedAt) * (rps / 1_000); made < due; made++) {
      const path = paths[made % paths.length] ?? "/";
      mesh
        .fetch(`${service}${path}`, { method: methods[made % methods.length] ?? "GET" })
        .then((response) => response.text())
        .catch(() => {});
    }
  }, 20);
}
