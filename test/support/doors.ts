import { request as httpRequest, type IncomingMessage } from "node:http";
import { text as textOf } from "node:stream/consumers";
import type { Dispatcher } from "undici";
import { onTestFinished } from "vitest";
import type { Mesh } from "../../src/mesh/mesh.ts";

/** A call of the service `svc`, in the parts that the doors take. */
export interface DoorCall {
  readonly scheme?: "http" | "https";
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer to a call, as its caller sees it. */
export interface DoorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A way into the mesh for requests. */
export type Door = (mesh: Mesh, call?: DoorCall) => Promise<DoorAnswer>;

/** GET through the mesh's agent. `protocol` is that of the agent. */
function throughAgent(mesh: Mesh, { scheme = "http", path = "/", headers = {} }: DoorCall): Promise<DoorAnswer> {
  const agent = mesh.agent({ protocol: `${scheme}:` } as object);
  onTestFinished(() => agent.destroy());
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage) =>
      textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }), reject);
    const port = scheme === "https" ? 443 : 80;
    httpRequest({ agent, protocol: `${scheme}:`, host: "svc", port, path, headers }, answered)
      .on("error", reject)
      .end();
  });
}

/** The doors for requests. */
export const doors: Readonly<Record<"fetch" | "request" | "dispatcher" | "agent" | "upgrade", Door>> = {
  async fetch(mesh, { scheme = "http", path = "/", headers = {} } = {}) {
    const response = await mesh.fetch(`${scheme}://svc${path}`, { headers });
    return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
  },
  async request(mesh, { scheme = "http", path = "/", headers = {} } = {}) {
    const reply = await mesh.request(`${scheme}://svc${path}`, { headers });
    return { status: reply.statusCode, headers: reply.headers, text: await reply.body.text() };
  },
  async dispatcher(mesh, { scheme = "http", path = "/", headers = {} } = {}) {
    const dispatcher = mesh.dispatcher();
    const asked: object = { origin: `${scheme}://svc`, path, method: "GET", headers };
    const reply = await dispatcher.request(asked as Parameters<Dispatcher["request"]>[0]);
    return { status: reply.statusCode, headers: reply.headers, text: await reply.body.text() };
  },
  agent: (mesh, call = {}) => throughAgent(mesh, call),
  async upgrade(mesh, { scheme = "http", path = "/", headers = {} } = {}) {
    const origin = `${scheme === "https" ? "wss" : "ws"}://svc`;
    const asked: object = { origin, path, method: "GET", protocol: "echo", headers };
    const { socket, headers: answered } = await mesh.dispatcher().upgrade(asked as Parameters<Dispatcher["upgrade"]>[0]);
    socket.destroy();
    return { status: 101, headers: answered, text: "" };
  },
};

/** The names of the doors. */
export const doorNames = Object.keys(doors) as (keyof typeof doors)[];
