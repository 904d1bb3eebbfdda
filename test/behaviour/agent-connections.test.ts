import { type Agent, get } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { text as textOf } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import { certificate } from "../support/certificate.ts";
import { deadAddresses } from "../support/dead-addresses.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { closedPort, listening, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

function agentOf(mesh: Mesh, options: object = {}): Agent {
  const agent = mesh.agent(options);
  onTestFinished(() => agent.destroy());
  return agent;
}

const send = (agent: Agent, url = "http://users/") =>
  new Promise<string>((resolve, reject) => {
    get(url, { agent }, (response) => void textOf(response).then(resolve, reject)).on("error", reject);
  });

const books = (agent: Agent) => [agent.sockets, agent.freeSockets, agent.requests].map((each) => Object.values(each).flat().length);
const total = (agent: Agent) => (agent as unknown as { totalSocketCount: number }).totalSocketCount;

describe("connections of an agent", () => {
  it("have the time limit of all connections, and are given up when the agent is destroyed", async () => {
    const port = await closedPort();
    await deadAddresses(port, ["127.0.0.9"]);
    const discovery = staticDiscovery({ users: [{ host: "127.0.0.9", port }] });
    const limited = closing(createMesh({ discovery, drainTimeoutMs: 0, connections: { connectTimeoutMs: 50 } }));
    expect(await rejectionOf(send(agentOf(limited)))).toMatchObject({ code: "UND_ERR_CONNECT_TIMEOUT" });
    expect(limited.explain("users")?.endpoints[0]).toMatchObject({ failures: 1, state: "ejected", inFlight: 0 });
    const patient = closing(createMesh({ discovery, drainTimeoutMs: 0, connections: { connectTimeoutMs: 600_000 } }));
    const agent = agentOf(patient);
    const call = rejectionOf(send(agent));
    await until("it connects", () => books(agent)[0] === 1);
    agent.destroy();
    expect(await call).toMatchObject({ message: "the agent was destroyed" });
    await until("nothing is left", () => books(agent).join() === "0,0,0" && total(agent) === 0);
    expect(patient.explain("users")?.endpoints[0]).toMatchObject({ failures: 0, state: "available", inFlight: 0 });
  });

  it("are no more than maxSockets, also while they are made", async () => {
    const server = await serve((_request, response) => void setTimeout(() => response.end("ok"), 20));
    const agent = agentOf(meshOf({ users: server.port }), { maxSockets: 2 });
    expect(await Promise.all(Array.from({ length: 10 }, () => send(agent)))).toEqual(Array.from({ length: 10 }, () => "ok"));
    expect(server.accepted).toBe(2);
    expect(total(agent)).toBe(books(agent)[1]);
  });

  it("that cannot be made leave no request behind that waits for one", async () => {
    const agent = agentOf(meshOf({ users: await closedPort() }, { breaker: false }), { maxSockets: 1 });
    const calls = await Promise.all(Array.from({ length: 5 }, () => rejectionOf(send(agent))));
    for (const error of calls) expect(error).toMatchObject({ code: "ECONNREFUSED" });
    await until("nothing is left", () => books(agent).join() === "0,0,0" && total(agent) === 0);
  });

  it("are those of one service: another one at the same address has its own", async () => {
    const server = createTlsServer(certificate, (request, response) => response.end(String(request.headers.host)));
    let accepted = 0;
    server.on("connection", () => accepted++);
    server.on("tlsClientError", () => {});
    const port = await listening(server);
    const endpoint = { host: "127.0.0.1", port, secure: true };
    const discovery = staticDiscovery({ users: [endpoint], orders: [endpoint] });
    const services = { users: { peer: { name: "eureka.test" } }, orders: { peer: { name: "orders.test" } } };
    const agent = agentOf(closing(createMesh({ discovery, services, tls: { ca: certificate.cert }, drainTimeoutMs: 0 })));
    expect(await send(agent)).toBe("eureka.test");
    // Its name is not in the certificate: on the connection of the other service nothing would tell.
    expect(await rejectionOf(send(agent, "http://orders/"))).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    expect(accepted).toBe(2);
  });
});
