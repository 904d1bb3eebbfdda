import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { Identity } from "../../../src/identity/identity.ts";
import { workloadApi } from "../../../src/identity/spiffe/workload-api.ts";
import { createMesh, staticDiscovery } from "../../../src/index.ts";
import { Authority, type Issued } from "../../support/authority.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { until } from "../../support/until.ts";
import { derOf, svidOf, WorkloadAgent } from "../../support/workload-agent.ts";

const caller = "spiffe://example.org/shop/orders";
const callee = "spiffe://partner.example/payments";
const context = { minVersion: "TLSv1.3" } as const;
const folder = mkdtempSync(join(tmpdir(), "wlr-"));
const identities: Identity[] = [];
const agents: WorkloadAgent[] = [];
const servers: Server[] = [];
let home: Authority;
let partner: Authority;
let count = 0;

beforeAll(async () => {
  [home, partner] = await Promise.all([Authority.create("example.org"), Authority.create("partner.example")]);
});
beforeEach(() => {
  count++;
});
afterEach(() => {
  for (const identity of identities.splice(0)) identity.close();
  for (const server of servers.splice(0)) server.close();
  for (const agent of agents.splice(0)) agent.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An agent, and the keeper of the identity that it gives. */
async function member(name: string): Promise<{ agent: WorkloadAgent; identity: Identity }> {
  const agent = new WorkloadAgent(join(folder, `${name}${count}.sock`));
  agents.push(agent);
  await agent.start();
  const identity = new Identity(workloadApi({ socket: agent.socket }), systemClock);
  identities.push(identity);
  return { agent, identity };
}

async function ordersSvid(federated: boolean, notAfter?: Date) {
  const issued = await home.issue({ uris: [caller], ...(notAfter === undefined ? {} : { notAfter }) });
  return {
    svids: [svidOf(caller, issued, home)],
    ...(federated ? { federatedBundles: { "spiffe://partner.example": derOf(partner.certificate) } } : {}),
  };
}

async function paymentsSvid() {
  const issued = await partner.issue({ uris: [callee] });
  return { svids: [svidOf(callee, issued, partner)], federatedBundles: { "spiffe://example.org": derOf(home.certificate) } };
}

/** A server that admits a caller by its identity, and says the serial number of its own certificate. */
async function serve(identity: Identity): Promise<number> {
  const server = createServer({
    requestCert: true,
    rejectUnauthorized: false,
    SNICallback: (_name, done) => done(null, identity.secureContext(context)),
  });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {});
    try {
      const peer = verify(identity, socket, [caller]);
      socket.end(`hello ${peer}`);
    } catch {
      socket.destroy();
    }
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function verify(identity: Identity, socket: TLSSocket, ids: readonly string[]): string | undefined {
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined) throw new Error("no certificate");
  return identity.verifyPeer(new X509Certificate(shown.raw), [], { ids }).id?.text;
}

/** One connection by an identity: the answer, or a rejection. */
function call(identity: Identity, port: number): Promise<string> {
  const secureContext = identity.secureContext(context);
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", servername: "payments.test", secureContext, rejectUnauthorized: false });
    let text = "";
    socket.on("secureConnect", () => {
      try {
        verify(identity, socket, [callee]);
      } catch (error) {
        socket.destroy();
        reject(error);
      }
    });
    socket.on("data", (bytes) => (text += bytes));
    socket.on("error", reject);
    socket.on("close", () => (text === "" ? reject(new Error("closed without an answer")) : resolve(text)));
  });
}

const ready = (identity: Identity) => until("the identity is ready", () => identity.state === "ready", 15_000);

describe("two processes with identities of an agent each", () => {
  it("know each other over the bounds of a trust domain, and rotate without a failed call", async () => {
    const [orders, payments] = await Promise.all([member("o"), member("p")]);
    orders.agent.give(await ordersSvid(true));
    payments.agent.give(await paymentsSvid());
    await Promise.all([ready(orders.identity), ready(payments.identity)]);
    const port = await serve(payments.identity);
    const answers: string[] = [];
    const failed: unknown[] = [];
    let rotations = 0;
    const first = orders.identity.version;
    const rotate = async (): Promise<void> => {
      for (; rotations < 8; rotations++) {
        orders.agent.give(await ordersSvid(true));
        payments.agent.give(await paymentsSvid());
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const load = async (): Promise<void> => {
      while (rotations < 8)
        await call(orders.identity, port).then(
          (text) => answers.push(text),
          (error) => failed.push(error),
        );
    };
    await Promise.all([rotate(), load(), load()]);
    expect(failed).toEqual([]);
    expect(answers.length).toBeGreaterThan(16);
    expect(new Set(answers)).toEqual(new Set([`hello ${caller}`]));
    await until("each rotation was taken", () => orders.identity.version - first >= 8);
  });

  it("no longer know each other once a message lacks the other's bundle", async () => {
    const [orders, payments] = await Promise.all([member("o"), member("p")]);
    orders.agent.give(await ordersSvid(true));
    payments.agent.give(await paymentsSvid());
    await Promise.all([ready(orders.identity), ready(payments.identity)]);
    const port = await serve(payments.identity);
    expect(await call(orders.identity, port)).toBe(`hello ${caller}`);
    const { version } = orders.identity;
    orders.agent.give(await ordersSvid(false));
    await until("the bundle is gone", () => orders.identity.version > version);
    expect((await rejectionOf(call(orders.identity, port))) as Error).toMatchObject({
      message: expect.stringContaining("no bundle is known of the trust domain"),
    });
  });

  it("refuse a certificate as soon as a list revokes it", async () => {
    const [orders, payments] = await Promise.all([member("o"), member("p")]);
    const issued = await home.issue({ uris: [caller] });
    const federatedBundles = { "spiffe://partner.example": derOf(partner.certificate) };
    orders.agent.give({ svids: [svidOf(caller, issued, home)], federatedBundles });
    const svid = await paymentsSvid();
    payments.agent.give(svid);
    await Promise.all([ready(orders.identity), ready(payments.identity)]);
    const port = await serve(payments.identity);
    expect(await call(orders.identity, port)).toBe(`hello ${caller}`);
    const { version } = payments.identity;
    const lists = await Promise.all([home.revoke([issued.certificate]), partner.revoke([])]);
    payments.agent.give({ ...svid, crl: lists.map(derOf) });
    await until("the list is taken", () => payments.identity.version > version);
    await expect(call(orders.identity, port)).rejects.toThrow();
    orders.agent.give(await ordersSvid(true));
    await until(
      "the new certificate is admitted",
      () =>
        call(orders.identity, port).then(
          () => true,
          () => false,
        ),
      15_000,
    );
  });
});

describe("an identity whose agent is gone", () => {
  it("is used until it expires, and fails closed with ERR_MESH_IDENTITY afterwards, until an agent is there again", async () => {
    const { agent, identity } = await member("o");
    agent.give(await ordersSvid(true, new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 2_000)));
    await ready(identity);
    agent.stop();
    await until("the failure is known", () => identity.failure !== undefined, 15_000);
    await until("the end", () => identity.state === "expired", 15_000);
    expect(() => identity.secureContext(context)).toThrow(expect.objectContaining({ code: "ERR_MESH_IDENTITY" }));
    agent.give(await ordersSvid(true));
    await agent.start();
    await ready(identity);
    expect(identity.id?.text).toBe(caller);
  });

  it("is withdrawn at once where the agent says that this process has none", async () => {
    const { agent, identity } = await member("o");
    agent.give(await ordersSvid(true));
    await ready(identity);
    agent.refusal = { code: 7, details: "no identity issued" };
    agent.end(7, "no identity issued");
    await until("the withdrawal", () => identity.state === "withdrawn", 15_000);
    expect(() => identity.secureContext(context)).toThrow(/withdrawn.*no identity issued/);
  });
});

describe("a mesh with the identity of an agent", () => {
  it("fetches from a server with another one while both rotate, without a failed call", async () => {
    const [orders, payments] = await Promise.all([new WorkloadAgent(join(folder, `m${count}.sock`)), member("p")]);
    agents.push(orders);
    await orders.start();
    orders.give(await ordersSvid(true));
    payments.agent.give(await paymentsSvid());
    await ready(payments.identity);
    const server = createHttpsServer(
      {
        requestCert: true,
        rejectUnauthorized: false,
        SNICallback: (_name, done) => done(null, payments.identity.secureContext(context)),
        ...defaultPair(await partner.issue({ uris: [callee] })),
      },
      (request, response) => response.end(verify(payments.identity, request.socket as TLSSocket, [caller])),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const mesh = createMesh({
      discovery: staticDiscovery({ payments: [{ host: "127.0.0.1", port: (server.address() as AddressInfo).port }] }),
      identity: workloadApi({ socket: orders.socket }),
      connections: { maxRequests: 3 },
      services: { payments: { peer: { id: callee, mode: "strict" } } },
    });
    try {
      const answers: string[] = [];
      let isOver = false;
      const load = async (): Promise<void> => {
        while (!isOver) answers.push(await (await mesh.fetch("payments/")).text());
      };
      const rotate = async (): Promise<void> => {
        for (let rotation = 0; rotation < 8; rotation++) {
          orders.give(await ordersSvid(true));
          payments.agent.give(await paymentsSvid());
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        isOver = true;
      };
      await Promise.all([rotate(), load(), load()]);
      expect(answers.length).toBeGreaterThan(16);
      expect(new Set(answers)).toEqual(new Set([caller]));
    } finally {
      await mesh.close();
      server.closeAllConnections();
      server.close();
    }
  });
});

function defaultPair({ chain, key }: Issued) {
  return { cert: chain, key };
}
