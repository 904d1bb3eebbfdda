import { get, type Agent as HttpAgent, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text as textOf } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Lease } from "../../src/attempts/lease.ts";
import { MeshAgent } from "../../src/bridges/agent.ts";
import { Cancellation } from "../../src/core/cancellation.ts";
import { systemClock } from "../../src/core/clock.ts";
import { settleWire } from "../../src/core/connection-options.ts";
import { healthCheckProbe } from "../../src/rotation/health/health-check.ts";
import type { OpenConnection } from "../../src/rotation/health/health-check-connection.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { type ClientIdentity, staticIdentity } from "../../src/wire/client-identity.ts";
import { InstanceConnector } from "../../src/wire/instance-connector.ts";
import { secureContextOf } from "../../src/wire/tls.ts";
import { Transport } from "../../src/wire/transport.ts";
import { certificate } from "../support/certificate.ts";
import { until } from "../support/until.ts";

/** An identity that begins without a certificate and has one after `rotate`. */
function scriptedIdentity() {
  const contexts = [secureContextOf({ ca: certificate.cert }), secureContextOf({ ca: certificate.cert, ...certificate })];
  let version = 1;
  const identity: ClientIdentity = {
    get version() {
      return version;
    },
    secureContext: () => contexts[version - 1],
    serverName: undefined,
  };
  return { identity, rotate: () => void version++ };
}

/** An instance with TLS that says which certificate its client has shown; `/slow` waits for `release`. */
async function instance() {
  const sockets: TLSSocket[] = [];
  const held: ServerResponse[] = [];
  const shown: string[] = [];
  const server = createServer({ ...certificate, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const name = String((request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? "nobody");
    shown.push(name);
    if (request.url !== "/slow") return void response.end(name);
    response.write(`${name} `);
    held.push(response);
  });
  server.keepAliveTimeout = 60_000;
  server.on("secureConnection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const upstream = testUpstream({ port: (server.address() as AddressInfo).port, secure: true });
  return { upstream, sockets, shown, release: () => held.splice(0).forEach((response) => void response.end("released")) };
}

const named = "eureka.test";

const wire = settleWire({ connections: { max: 1 }, bodyIdleTimeoutMs: false });

describe("an identity that changes", () => {
  it("is shown on new connections, while a request in flight ends on its old one, which then closes", async () => {
    const { upstream, sockets, release } = await instance();
    const { identity, rotate } = scriptedIdentity();
    const transport = new Transport({ identity, clock: systemClock });
    onTestFinished(() => transport.destroy());
    const send = async (path: string) => (await transport.dispatch(wire)(testRequest({ upstream, path }))).body;
    expect(await (await send("/")).text()).toBe("nobody");
    const slow = await send("/slow");
    const before = sockets.length;
    rotate();
    for (let call = 0; call < 3; call++) expect(await (await send("/")).text()).toBe(named);
    expect([sockets.length - before, transport.size]).toEqual([1, 2]);
    release();
    expect(await slow.text()).toBe("nobody released");
    await until("the old connections are closed", () => sockets.slice(0, before).every((socket) => socket.destroyed));
    await until("the old pool is gone", () => transport.size === 1);
    expect(sockets.at(-1)?.destroyed).toBe(false);
  });

  it("makes no new connection to an instance without TLS", async () => {
    const { identity, rotate } = scriptedIdentity();
    const transport = new Transport({ identity, clock: systemClock });
    onTestFinished(() => transport.destroy());
    const upstream = testUpstream({ port: 9 });
    await transport.connect(upstream, wire);
    rotate();
    await transport.connect(upstream, wire);
    expect(transport.size).toBe(1);
  });

  it("is shown by the agent on new connections, and idle ones of before are closed", async () => {
    const { upstream, sockets, release } = await instance();
    const { identity, rotate } = scriptedIdentity();
    const lease = async (): Promise<Lease> => ({ upstream, sent() {}, head() {}, failed() {}, settle() {} });
    const { connector, idle } = new Transport({ identity, clock: systemClock });
    const agent: HttpAgent = new MeshAgent({ serviceOf: () => ({ wire, caller: undefined, lease }), connector, idle, clock: systemClock });
    onTestFinished(() => agent.destroy());
    const send = (path: string) =>
      new Promise<IncomingMessage>((resolve, reject) => get(`http://users${path}`, { agent }, resolve).on("error", reject));
    const [one, other] = await Promise.all([send("/"), send("/")]);
    expect([await textOf(one), await textOf(other)]).toEqual(["nobody", "nobody"]);
    const slow = await send("/slow");
    rotate();
    expect(await textOf(await send("/"))).toBe(named);
    expect(await textOf(await send("/"))).toBe(named);
    expect(sockets.length).toBe(3);
    await until("the idle one of before is closed", () => sockets.filter(({ destroyed }) => destroyed).length === 1);
    release();
    expect(await textOf(slow)).toBe("nobody released");
    await until("the one in use is closed", () => sockets.filter(({ destroyed }) => destroyed).length === 2);
    expect(sockets[2]?.destroyed).toBe(false);
  });

  it("leaves no connection of before in the agent's books, and no request that waits for one", async () => {
    const { upstream, release } = await instance();
    const { identity, rotate } = scriptedIdentity();
    const lease = async (): Promise<Lease> => ({ upstream, sent() {}, head() {}, failed() {}, settle() {} });
    const { connector, idle } = new Transport({ identity, clock: systemClock });
    const agent: HttpAgent = new MeshAgent(
      { serviceOf: () => ({ wire, caller: undefined, lease }), connector, idle, clock: systemClock },
      { maxSockets: 1 },
    );
    onTestFinished(() => agent.destroy());
    const send = (path: string) =>
      new Promise<IncomingMessage>((resolve, reject) => get(`http://users${path}`, { agent }, resolve).on("error", reject));
    const slow = await send("/slow");
    const waiting = send("/");
    await until("it waits", () => Object.keys(agent.requests).length === 1);
    rotate();
    release();
    await textOf(slow);
    await textOf(await waiting);
    expect(await textOf(await send("/"))).toBe(named);
    await until("only the new connection is left", () => [agent.sockets, agent.freeSockets].flatMap(Object.values).flat().length === 1);
    expect(agent.requests).toEqual({});
  });

  it("is shown by the next health check", async () => {
    const { upstream, sockets, shown } = await instance();
    const { identity, rotate } = scriptedIdentity();
    const connector = new InstanceConnector({ identity, clock: systemClock });
    const open: OpenConnection = (to, alpn, opened) => connector.open(to, wire, { alpn, isForRequests: false }, opened);
    const probe = healthCheckProbe({ type: "http", path: "/" }, { protocol: "h1", open });
    await probe(upstream, new Cancellation());
    rotate();
    await probe(upstream, new Cancellation());
    expect([sockets.length, shown]).toEqual([2, ["nobody", named]]);
  });
});

it("the identity of the options never changes, and refuses what is no PEM", () => {
  const identity = staticIdentity({ ca: certificate.cert, serverName: "users.test" });
  const context = identity.secureContext();
  expect(context).toBeDefined();
  expect([identity.version, identity.serverName, identity.secureContext() === context]).toEqual([1, "users.test", true]);
  expect(staticIdentity().secureContext()).toBeUndefined();
  expect(() => staticIdentity({ ca: "no PEM" })).toThrow(TypeError);
});
