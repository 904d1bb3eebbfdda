import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Mesh } from "../src/index.ts";
import { isMeshError } from "../src/index.ts";
import type { Instances, SeenRequest } from "./instances.ts";
import type { Outcome, ParityCase, Probe } from "./parity-case.ts";

/** Sends one request; its answer's status and headers. */
export type SendProbe = (probe: Probe, host: string, headers: Readonly<Record<string, string>>) => Promise<Answer>;

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

let lastProbe = 0;

/** Sends the requests of a case, and says what became of each. */
export async function outcomesOf(parityCase: ParityCase, host: string, instances: Instances, send: SendProbe): Promise<readonly Outcome[]> {
  const { probes, requestHeaders = [], responseHeaders = [] } = parityCase;
  for (const [index, behaviour] of parityCase.instances.entries()) instances.become(index, behaviour);
  const outcomes: Outcome[] = [];
  for (const probe of probes) {
    if (probe.afterMs !== undefined) await sleep(probe.afterMs);
    for (const [index, behaviour] of Object.entries(probe.become ?? {})) instances.become(Number(index), behaviour);
    const one = async (): Promise<Outcome> => {
      const id = `probe-${++lastProbe}`;
      const answer = await send(probe, probe.host ?? host, { ...probe.headers, "x-probe": id });
      // A copy may come after the answer.
      if (parityCase.about.includes("mirror")) await sleep(100);
      return outcomeOf(
        answer,
        instances.seen.filter((each) => each.probe === id),
        requestHeaders,
        responseHeaders,
      );
    };
    const times = Array.from({ length: probe.times ?? 1 });
    if (probe.atOnce === true) outcomes.push(...(await Promise.all(times.map(one))));
    else for (const _ of times) outcomes.push(await one());
  }
  return outcomes;
}

function outcomeOf(
  { status, headers }: Answer,
  seen: readonly SeenRequest[],
  requestHeaders: readonly string[],
  responseHeaders: readonly string[],
): Outcome {
  const isCopy = ({ headers: each }: SeenRequest): boolean =>
    each["x-mesh-mirrored"] !== undefined || /-shadow(?::\d+)?$/.test(each["host"] ?? "");
  const originals = seen.filter((each) => !isCopy(each));
  const last = originals.at(-1);
  const pick = (from: Readonly<Record<string, string>>, names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));
  return {
    status,
    attempts: originals.map(({ instance }) => instance),
    seen: last === undefined ? undefined : { method: last.method, path: last.path, ...pick(last.headers, requestHeaders) },
    response: pick(headers, responseHeaders),
    copies: seen.filter(isCopy).map(({ instance }) => instance),
  };
}

/** Sends to a proxy. */
export function proxySender(port: number): SendProbe & Disposable {
  const agent = new Agent({ keepAlive: true });
  const send: SendProbe = ({ path, method = "GET", body }, host, headers) =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", port, agent, path, method, headers: { ...headers, host } }, (incoming) => {
        incoming.resume();
        incoming.once("end", () => resolve({ status: incoming.statusCode ?? 0, headers: linesOf(incoming.headers) }));
        incoming.once("error", reject);
      });
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  return Object.assign(send, { [Symbol.dispose]: () => agent.destroy() });
}

function linesOf(headers: Readonly<Record<string, string | string[] | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(", ")]));
}

/** Calls by a mesh. An error is the status that a proxy answers with in its place: 504 for what took too long, `otherwise` for what no instance has answered. */
export function meshSender(mesh: Mesh, otherwise = 503): SendProbe {
  return async ({ path, method = "GET", body }, host, headers) => {
    try {
      const response = await mesh.fetch(`http://${host}${path}`, {
        method,
        headers,
        redirect: "manual",
        ...(body === undefined ? {} : { body }),
      });
      await response.arrayBuffer();
      return { status: response.status, headers: Object.fromEntries(response.headers) };
    } catch (error) {
      return { status: statusOf(error, otherwise), headers: {} };
    }
  };
}

function statusOf(error: unknown, otherwise: number): number {
  if (!isMeshError(error)) throw error;
  const inner = error.code === "ERR_MESH_RETRY_EXHAUSTED" ? error.cause : error;
  return isMeshError(inner) && inner.code === "ERR_MESH_TIMEOUT" ? 504 : otherwise;
}
