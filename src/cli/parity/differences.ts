import { Agent, request } from "node:http";
import { isMeshError, type Mesh } from "../../index.ts";
import type { EchoInstances, SeenRequest } from "./echo-instances.ts";
import type { Probe } from "./probes.ts";

/** A request whose outcomes differ. */
export interface ParityDifference {
  readonly request: string;
  /** Of nginx or Envoy. */
  readonly server: string;
  readonly inmesh: string;
}

/** The result of a comparison. */
export interface ParityResult {
  readonly requests: number;
  readonly differences: readonly ParityDifference[];
}

/** The label of an instance where outcomes are compared: itself, or its service where turns begin anywhere. */
type LabelOf = (instance: string) => string;

interface DifferenceOptions {
  /** How often each request is sent. */
  readonly times: number;
  readonly signal: AbortSignal;
  readonly labelOf?: LabelOf;
}

/** Sends requests to a server at a port of this machine and by a mesh, one after another, and says which outcomes differ. */
export async function differencesAt(
  port: number,
  probes: readonly Probe[],
  mesh: Mesh,
  instances: EchoInstances,
  { times, signal, labelOf = (instance) => instance }: DifferenceOptions,
): Promise<readonly ParityDifference[]> {
  const agent = new Agent({ keepAlive: true });
  const differences: ParityDifference[] = [];
  try {
    for (const probe of probes)
      for (let time = 0; time < times; time++) {
        signal.throwIfAborted();
        const [theirs, ours] = [
          await outcomeOf(probe, instances, labelOf, toServer(agent, port)),
          await outcomeOf(probe, instances, labelOf, toMesh(mesh)),
        ];
        if (theirs === ours) continue;
        differences.push({ request: `${probe.method} http://${probe.host}${probe.path}`, server: theirs, inmesh: ours });
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

async function outcomeOf(probe: Probe, { seen }: EchoInstances, labelOf: LabelOf, send: Send): Promise<string> {
  const id = String(++lastProbe);
  const { status, location } = await send(probe, { "x-parity-probe": id });
  const attempts = seen.filter((each) => each.probe === id);
  const place = location === null ? [] : [`location ${location.replace(/^http:\/\/[^/]+(?=\/)/, "")}`];
  return [String(status), ...place, ...attempts.map((each) => shownOf(each, labelOf))].join(", ");
}

/** Those that every client has of its own, and those by which a mesh tells of itself. */
const own =
  /^(?:host|connection|user-agent|accept|accept-encoding|content-length|transfer-encoding|x-parity-probe|x-mesh-.*|x-envoy-.*|traceparent|tracestate|x-forwarded-.*|via|x-request-id)$/;

function shownOf({ instance, method, path, headers }: SeenRequest, labelOf: LabelOf): string {
  const names = Object.keys(headers)
    .filter((name) => !own.test(name))
    .sort();
  return `${labelOf(instance)} ${method} ${path}${names.map((name) => ` ${name}=${headers[name]}`).join("")}`;
}

function toServer(agent: Agent, port: number): Send {
  return ({ method, host, path, headers: own = {} }, headers) =>
    new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, agent, method, path, headers: { ...own, ...headers, host } }, (answer) => {
        answer.resume();
        answer.once("end", () => resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? null }));
        answer.once("error", reject);
      });
      sent.once("error", reject);
      sent.end();
    });
}

function toMesh(mesh: Mesh): Send {
  return async ({ method, host, path, headers: own = {} }, headers) => {
    try {
      const response = await mesh.fetch(`http://${host}${path}`, { method, headers: { ...own, ...headers }, redirect: "manual" });
      await response.arrayBuffer();
      return { status: response.status, location: response.headers.get("location") };
    } catch (error) {
      if (!isMeshError(error)) throw error;
      return { status: error.code === "ERR_MESH_TIMEOUT" ? 504 : 502, location: null };
    }
  };
}
