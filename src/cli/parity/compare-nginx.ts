import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMesh, isMeshError, type Mesh } from "../../index.ts";
import { fromNginx, importNginx, type NginxListener } from "../../nginx/nginx.ts";
import { EchoInstances, type SeenRequest } from "./echo-instances.ts";
import { localFile } from "./nginx-text.ts";
import { type Probe, probesFor } from "./probes.ts";
import { RealNginx } from "./real-nginx.ts";

/** How files are compared. */
export interface CompareOptions {
  readonly program: string;
  /** How often each request is sent, for the turns of instances. */
  readonly times: number;
  /** Requests in place of those that are made up. */
  readonly probes: readonly Probe[];
  readonly unsupported: "refuse" | "answer-501";
  readonly signal: AbortSignal;
}

/** A request whose outcomes differ. */
export interface ParityDifference {
  readonly request: string;
  readonly nginx: string;
  readonly inmesh: string;
}

/** What came of a comparison. */
export interface ParityResult {
  readonly requests: number;
  readonly differences: readonly ParityDifference[];
}

/** Runs a file on a real nginx and on inmesh with the same instances, sends both the same requests, and compares what instances and callers see. */
export async function compareNginx(file: string, options: CompareOptions): Promise<ParityResult> {
  const directory = await mkdtemp(join(tmpdir(), "inmesh-parity-"));
  await using instances = new EchoInstances();
  try {
    const [text, port] = await prepared(file, instances, options);
    const local = join(directory, "local.conf");
    await writeFile(local, text);
    const how = { clients: "served", unsupported: options.unsupported } as const;
    const { listeners } = await importNginx(local, how);
    await using _nginx = await RealNginx.start(options.program, directory, text, port, options.signal);
    const all: ParityDifference[] = [];
    let requests = 0;
    for (const listener of listeners) {
      const probes = options.probes.length > 0 ? options.probes : probesFor(listener);
      const mesh = createMesh({
        ...(await fromNginx(local, { ...how, listen: listener.address, onNotice: () => undefined })),
        observers: [],
      });
      try {
        requests += probes.length;
        all.push(...(await differencesAt(listener, probes, mesh, instances, options)));
      } finally {
        await mesh.close();
      }
    }
    return { requests, differences: all };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The file with ports of this machine, and the first port that it listens on. */
async function prepared(
  file: string,
  instances: EchoInstances,
  { signal }: CompareOptions,
): Promise<readonly [text: string, port: number]> {
  const servers = new Set<string>();
  const listens = new Set<string>();
  const collect = (into: Set<string>) => (address: string) => {
    into.add(address);
    return 9;
  };
  await localFile(file, { listen: collect(listens), server: collect(servers) });
  signal.throwIfAborted();
  await instances.start([...servers]);
  const free = await freePorts(Math.max(1, listens.size));
  const ports = new Map([...listens].map((address, index) => [address, free[index] as number]));
  const text = await localFile(file, { listen: (address) => ports.get(address) ?? 9, server: (address) => instances.portOf(address) });
  return [text, free[0] as number];
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function differencesAt(
  { port }: NginxListener,
  probes: readonly Probe[],
  mesh: Mesh,
  instances: EchoInstances,
  { times, signal }: CompareOptions,
): Promise<readonly ParityDifference[]> {
  const agent = new Agent({ keepAlive: true });
  const differences: ParityDifference[] = [];
  try {
    for (const probe of probes)
      for (let time = 0; time < times; time++) {
        signal.throwIfAborted();
        const [theirs, ours] = [await outcomeOf(probe, instances, toNginx(agent, port)), await outcomeOf(probe, instances, toMesh(mesh))];
        if (theirs === ours) continue;
        differences.push({ request: `${probe.method} http://${probe.host}${probe.path}`, nginx: theirs, inmesh: ours });
        break;
      }
  } finally {
    agent.destroy();
  }
  return differences;
}

type Send = (
  probe: Probe,
  headers: Readonly<Record<string, string>>,
) => Promise<{ readonly status: number; readonly location: string | null }>;

let lastProbe = 0;

async function outcomeOf(probe: Probe, { seen }: EchoInstances, send: Send): Promise<string> {
  const id = String(++lastProbe);
  const { status, location } = await send(probe, { "x-parity-probe": id });
  const attempts = seen.filter((each) => each.probe === id);
  const place = location === null ? [] : [`location ${location.replace(/^http:\/\/[^/]+(?=\/)/, "")}`];
  return [String(status), ...place, ...attempts.map(shownOf)].join(", ");
}

/** Those that every client has of its own, and those by which a mesh tells of itself. */
const own =
  /^(?:host|connection|user-agent|accept|accept-encoding|content-length|transfer-encoding|x-parity-probe|x-mesh-.*|traceparent|tracestate|x-forwarded-.*|via|x-request-id)$/;

function shownOf({ instance, method, path, headers }: SeenRequest): string {
  const names = Object.keys(headers)
    .filter((name) => !own.test(name))
    .sort();
  return `${instance} ${method} ${path}${names.map((name) => ` ${name}=${headers[name]}`).join("")}`;
}

function toNginx(agent: Agent, port: number): Send {
  return ({ method, host, path }, headers) =>
    new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, agent, method, path, headers: { ...headers, host } }, (answer) => {
        answer.resume();
        answer.once("end", () => resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? null }));
        answer.once("error", reject);
      });
      sent.once("error", reject);
      sent.end();
    });
}

function toMesh(mesh: Mesh): Send {
  return async ({ method, host, path }, headers) => {
    try {
      const response = await mesh.fetch(`http://${host}${path}`, { method, headers, redirect: "manual" });
      await response.arrayBuffer();
      return { status: response.status, location: response.headers.get("location") };
    } catch (error) {
      if (!isMeshError(error)) throw error;
      return { status: error.code === "ERR_MESH_TIMEOUT" ? 504 : 502, location: null };
    }
  };
}
