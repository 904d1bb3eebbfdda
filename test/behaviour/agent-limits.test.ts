import { get, type Agent as HttpAgent, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Discovery } from "../../src/extend.ts";
import { createMesh, type Mesh, type MeshOptions, staticDiscovery } from "../../src/index.ts";
import { closing } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** Where a request of the agent is when it ends. */
interface Situation {
  readonly answer?: (socket: Socket) => void;
  readonly options?: Partial<MeshOptions>;
  readonly secure?: boolean;
  readonly discovery?: Discovery;
  /** Another request has the one connection that there may be. */
  readonly isTaken?: boolean;
}

const silent = () => {};
const stalls = (socket: Socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[1");

const never: Discovery = {
  async *watch(_service, signal) {
    await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    yield [];
  },
};

const moments: Readonly<Record<string, Situation>> = {
  "waiting for discovery": { discovery: never, options: { discoveryTimeoutMs: 60_000 } },
  "waiting for a connection": { isTaken: true },
  "in the handshake of TLS": { secure: true },
  "before the head": {},
  "in the body": { answer: stalls },
};

/** How a client gives up. */
const ways: Readonly<Record<string, (request: ReturnType<typeof get>, stop: AbortController) => void>> = {
  "destroy(error)": (request) => void request.destroy(new RangeError("enough")),
  "destroy()": (request) => void request.destroy(),
  "a signal": (_request, stop) => stop.abort(new RangeError("enough")),
};

interface Rig {
  readonly mesh: Mesh;
  readonly agent: HttpAgent;
  readonly sockets: readonly Socket[];
}

async function rigOf({ answer = silent, options, secure = false, discovery, isTaken = false }: Situation): Promise<Rig> {
  const { port, sockets } = await serveRaw(answer);
  const found = discovery ?? staticDiscovery({ orders: [{ host: "127.0.0.1", port, secure }] });
  const connections = { connectTimeoutMs: 60_000 };
  const mesh = closing(createMesh({ discovery: found, observers: [], drainTimeoutMs: 0, connections, ...options }));
  const agent = mesh.agent({ maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  if (isTaken) {
    get("http://orders/other", { agent }).on("error", () => {});
    await until("the place is taken", () => sockets.length === 1);
  }
  return { mesh, agent, sockets };
}

/** A request to the end of its body. */
const bodyOf = (request: ReturnType<typeof get>) =>
  new Promise((resolve, reject) => {
    request.on("error", reject).on("response", (response: IncomingMessage) => text(response).then(resolve, reject));
  });

const inFlight = (mesh: Mesh) => (mesh.explain("orders")?.endpoints ?? []).reduce((sum, each) => sum + each.inFlight, 0);
const waiting = ({ requests }: HttpAgent) => Object.values(requests).flat().length;

describe("a request of the agent that its client gives up", () => {
  const cells = Object.entries(moments).flatMap(([moment, situation]) => Object.keys(ways).map((way) => [moment, way, situation] as const));

  it.each(cells)("%s, by %s, ends at once and leaves nothing", async (_moment, way, situation) => {
    const { mesh, agent, sockets } = await rigOf(situation);
    const stop = new AbortController();
    const request = get("http://orders/1", { agent, signal: stop.signal });
    const ends: unknown[] = [];
    request.on("close", () => ends.push("close"));
    const end = rejectionOf(bodyOf(request));
    setTimeout(() => ways[way]?.(request, stop), 60);
    expect(await end).toBeInstanceOf(Error);
    await until("it has closed", () => ends.length > 0);
    const others = situation.isTaken ? 1 : 0;
    await until("nothing of it is in flight", () => inFlight(mesh) === others);
    await until("no connection of it is left", () => sockets.filter(({ destroyed }) => !destroyed).length === others);
    expect([waiting(agent), ends]).toEqual([0, ["close"]]);
    expect(mesh.explain("orders")?.endpoints.map(({ failures }) => failures) ?? []).not.toContain(1);
  });

  it("has the error that its client gave, whatever it waited for", async () => {
    for (const situation of Object.values(moments).slice(0, 4)) {
      const { agent } = await rigOf(situation);
      const request = get("http://orders/1", { agent });
      setTimeout(() => request.destroy(new RangeError("enough")), 30);
      expect(await rejectionOf(bodyOf(request))).toMatchObject({ name: "RangeError", message: "enough" });
    }
  });

  it("leaves the connection that it waited for to the next one", async () => {
    const { port, sockets } = await serveRaw((socket) => {
      setTimeout(() => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), 80);
    });
    const mesh = closing(createMesh({ discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port }] }), observers: [] }));
    const agent = mesh.agent({ maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const [first, given, last] = ["first", "given", "last"].map((path) => get(`http://orders/${path}`, { agent }));
    const answers = [first, last].map((request) => bodyOf(request as never));
    const gone = rejectionOf(bodyOf(given as never));
    await until("it waits", () => waiting(agent) === 2);
    given?.destroy(new Error("mine"));
    expect(await gone).toMatchObject({ message: "mine" });
    expect(await Promise.all(answers)).toEqual(["ok", "ok"]);
    expect(sockets).toHaveLength(1);
  });
});

describe("a request of the agent", () => {
  it("ends with the limit of a connection, the handshake of TLS included", async () => {
    const { agent, mesh, sockets } = await rigOf({ secure: true, options: { connections: { connectTimeoutMs: 60 } } });
    expect(await rejectionOf(bodyOf(get("http://orders/1", { agent })))).toMatchObject({ code: "UND_ERR_CONNECT_TIMEOUT" });
    await until("its connection is closed", () => sockets.every(({ destroyed }) => destroyed));
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ failures: 1, inFlight: 0 });
  });

  it("ends with the limit of the wait for discovery", async () => {
    const { agent } = await rigOf({ discovery: never, options: { discoveryTimeoutMs: 60 } });
    expect(await rejectionOf(bodyOf(get("http://orders/1", { agent })))).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
  });

  it("ends with the mesh while it waits for discovery", async () => {
    const { agent, mesh } = await rigOf({ discovery: never, options: { discoveryTimeoutMs: 60_000 } });
    const end = rejectionOf(bodyOf(get("http://orders/1", { agent })));
    setTimeout(() => void mesh.close(), 60);
    expect(await end).toMatchObject({ code: "ERR_MESH_CLOSED" });
  });

  it.each(Object.entries(moments).slice(1))("ends with its agent %s", async (_moment, situation) => {
    const { agent, mesh, sockets } = await rigOf(situation);
    const end = rejectionOf(bodyOf(get("http://orders/1", { agent })));
    setTimeout(() => agent.destroy(), 60);
    // As with any agent of node:http, a request that waits for a connection gets the next one.
    if (situation.isTaken) {
      await until("it was sent", () => sockets.length === 2);
      agent.destroy();
    }
    expect(await end).toBeInstanceOf(Error);
    await until("nothing is in flight", () => inFlight(mesh) === 0);
  });
});
