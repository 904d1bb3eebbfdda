/**
 * `inmesh/admin`: a live page of a mesh, and the JSON behind it.
 *
 * @packageDocumentation
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "../core/clock.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { type AdminOptions, checkAdminOptions } from "./admin-options.ts";
import { builtPage } from "./built-page.ts";
import { limitConnections } from "./connection-limit.ts";
import { EventStreams } from "./event-streams.ts";
import { Gate, inBrackets, isLoopback } from "./gate.ts";
import { pageFiles } from "./page-files.ts";
import { Readings } from "./readings.ts";
import { Recorder } from "./recorder.ts";
import { respond } from "./requests.ts";

export type { AdminOptions } from "./admin-options.ts";
export type { CanaryRow } from "./routes/canary-row.ts";
export type { ConfigurationRow, RefusedConfiguration } from "./routes/configuration-row.ts";
export type { RouteRow, RouteTargetRow } from "./routes/route-tallies.ts";
export type {
  AttemptReading,
  EjectionReading,
  EndpointRow,
  HealthCheckReading,
  IdentityRow,
  InstanceReading,
  LatencyReading,
  MeshSnapshot,
  OutsideRow,
  ProcessReading,
  RecentError,
  RegistryRow,
  RegistrySummary,
  SecondReading,
  Secured,
  ServerRow,
  ServiceRow,
  ServiceSnapshot,
  SuccessReading,
} from "./snapshot.ts";

/** The live page of a mesh, while it is served. */
export interface Admin extends AsyncDisposable {
  /** URL of the page: `http://127.0.0.1:7412/`. */
  readonly url: string;
  /** Stops serving and leaves the mesh, which goes on. Closing the mesh stops the server too. Idempotent. */
  close(): Promise<void>;
}

/** The part of a mesh that `admin` uses. */
export type AdminMesh = Pick<Mesh, "observe" | "explain" | "services" | "eject" | "readmit">;

/**
 * Serves the live page of `mesh` on this machine: each service at this moment, and the reasons of the mesh. Resolves when the server
 * listens; does not keep the process alive. Rejects with an Error that says so when the port is taken.
 * @throws TypeError or RangeError naming the option, for a wrong one.
 */
export function admin(mesh: AdminMesh, options: AdminOptions = {}): Promise<Admin> {
  if (typeof mesh?.observe !== "function") throw new TypeError("admin needs a mesh: admin(mesh, { port })");
  checkAdminOptions(options);
  return serve(mesh, options);
}

async function serve(mesh: AdminMesh, options: AdminOptions): Promise<Admin> {
  const { port = 7_412, host = "127.0.0.1", allowedHosts = [], token, dashboardUrl, clock = systemClock } = options;
  const gate = new Gate({ host, allowedHosts, token, readsNeedToken: !isLoopback(host) });
  let closed: Promise<void> | undefined;
  const recorder = new Recorder({ clock, services: () => mesh.services(), onClose: () => void close() });
  const readings = new Readings({ mesh, recorder, clock, dashboardUrl, canChange: gate.canChange });
  const streams = new EventStreams(() => readings.mesh());
  const parts = { mesh, gate, readings, streams, page: pageFiles(builtPage()) };
  const server = createServer({
    requestTimeout: 10_000,
    headersTimeout: 5_000,
    // Node looks for connections past these limits each half minute otherwise.
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 5_000,
    maxHeaderSize: 16_384,
  });
  // A connection on which nothing moves: of a reader that has stopped, for one.
  server.timeout = 10_000;
  limitConnections(server, 64);
  server.on("request", (request, response) => void respond(parts, request, response));
  server.on("connection", (socket) => socket.unref());
  await listen(server, port, host);
  server.unref();
  const leave = mesh.observe(recorder);
  const close = (): Promise<void> => {
    closed ??= stop(server, streams).finally(leave);
    return closed;
  };
  const { port: taken } = server.address() as AddressInfo;
  return { url: `http://${inBrackets(host)}:${taken}/`, close, [Symbol.asyncDispose]: close };
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as { code?: unknown };
    const what =
      code === "EADDRINUSE" ? "is taken: something listens there already; choose another port, or 0 for a free one" : "cannot be used";
    throw new Error(`admin: port ${port} of ${host} ${what} (${String(code)})`, { cause: error });
  }
  // Errors of connections that are no requests need no handling.
  server.on("error", () => {});
}

async function stop(server: Server, streams: EventStreams): Promise<void> {
  streams.close();
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
