import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { sds } from "../../src/identity/spiffe/sds.ts";
import { workloadApi } from "../../src/identity/spiffe/workload-api.ts";
import { createMesh, staticDiscovery } from "../../src/index.ts";
import { callerOf, type Policy, serve } from "../../src/server/server.ts";
import { available } from "../servers/available.ts";
import { callBySpiffe, startSecretServer, startSpiffeServer } from "../servers/spiffe-peer.ts";
import { Authority } from "../support/authority.ts";
import { IdentityJournal } from "../support/identity-journal.ts";
import { derOf, svidOf, WorkloadAgent } from "../support/workload-agent.ts";

const web = "spiffe://example.org/shop/web";
const orders = "spiffe://partner.example/orders";
const host = "127.0.0.1";
const folder = mkdtempSync(join(tmpdir(), "interop-"));
const agents: WorkloadAgent[] = [];
let home: Authority;
let partner: Authority;

beforeAll(async () => {
  [home, partner] = await Promise.all([Authority.create("example.org"), Authority.create("partner.example")]);
});
afterAll(() => {
  for (const agent of agents) agent.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The socket of an agent that gives the SVID of `id`, with the bundle of the other trust domain. */
async function agentFor(id: string): Promise<string> {
  const [own, other] = id.startsWith("spiffe://example.org/") ? [home, partner] : [partner, home];
  const agent = new WorkloadAgent(join(folder, `${agents.length}.sock`));
  agents.push(agent);
  await agent.start();
  const domain = other === home ? "example.org" : "partner.example";
  const federatedBundles = { [`spiffe://${domain}`]: derOf(other.certificate) };
  agent.give({ svids: [svidOf(id, await own.issue({ uris: [id] }), own)], federatedBundles });
  return agent.socket;
}

describe.skipIf(!available("spiffe-peer"))("beside go-spiffe", () => {
  it.each(["h1", "h2"] as const)(
    "a client of inmesh is served over %s, and each end refuses the other with another id",
    async (protocol) => {
      const socket = await agentFor(web);
      await using server = await startSpiffeServer(await agentFor(orders), web);
      const meshWith = (from: string, id: string) =>
        createMesh({
          discovery: staticDiscovery({ orders: [{ host, port: server.port, secure: true }] }),
          identity: workloadApi({ socket: from }),
          services: { orders: { peer: { id }, protocol } },
          retry: false,
        });
      await using mesh = meshWith(socket, orders);
      const response = await mesh.fetch("orders/1", { method: "POST", body: "a body" });
      expect([response.status, await response.text()]).toEqual([200, `POST /1 HTTP/${protocol === "h1" ? 1 : 2} by ${web}`]);
      await using mistaken = meshWith(socket, `${orders}-admin`);
      await expect(mistaken.fetch("orders/1")).rejects.toMatchObject({ code: "ERR_MESH_TLS_PEER" });
      // In TLS 1.3 a server refuses after the handshake: the request is lost then, and not executed.
      await using stranger = meshWith(await agentFor(`${web}-admin`), orders);
      await expect(stranger.fetch("orders/1")).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_MESH_(PROTOCOL|TLS_PEER|CONNECT)$/),
      });
    },
  );

  it.each(["h1", "h2"] as const)("a server of inmesh serves over %s, and each end refuses the other with another id", async (protocol) => {
    const answer = (request: Parameters<typeof callerOf>[0], response: { end(text: string): unknown }): void =>
      void response.end(`HTTP/${request.httpVersion} by ${callerOf(request)?.identity}`);
    const own = protocol === "h1" ? createServer((...both) => answer(...both)) : createSecureServer({}, (...both) => answer(...both));
    own.listen(0, host);
    await once(own, "listening");
    const policy: Policy = { rules: [{ id: "web", action: "allow", from: { identities: [web] } }] };
    const serving = serve(own, {
      identity: workloadApi({ socket: await agentFor(orders) }),
      inbound: { authorization: { policy } },
      lameDuckMs: 0,
      signals: [],
      log: false,
    });
    onTestFinished(async () => void (await serving.stop()));
    await serving.readiness();
    const url = `https://${host}:${(own.address() as AddressInfo).port}/`;
    const socket = await agentFor(web);
    expect(await callBySpiffe(socket, orders, url)).toBe(`200 HTTP/${protocol === "h1" ? "1.1" : "2.0"} by ${web}`);
    await expect(callBySpiffe(socket, `${orders}-admin`, url)).rejects.toThrow(/unexpected ID/);
    expect(await callBySpiffe(await agentFor(`${web}-admin`), orders, url)).toMatch(/^403 /);
    // One of a trust domain that the server has no bundle of.
    const far = await Authority.create("far.example");
    const agent = new WorkloadAgent(join(folder, `far-${protocol}.sock`));
    agents.push(agent);
    await agent.start();
    const id = "spiffe://far.example/web";
    const federatedBundles = { "spiffe://partner.example": derOf(partner.certificate) };
    agent.give({ svids: [svidOf(id, await far.issue({ uris: [id] }), far)], federatedBundles });
    await expect(callBySpiffe(agent.socket, orders, url)).rejects.toThrow();
  });
});

describe.skipIf(!available("spiffe-peer"))("beside go-control-plane", () => {
  it.each(["state", "delta"] as const)("an identity by its stream of %s is had and renewed", async (kind) => {
    const directory = mkdtempSync(join(folder, "secrets-"));
    const issue = async () => {
      const { chain, key } = await home.issue({ uris: [web] });
      const files = { "certificate.pem": chain, "key.pem": key, "authority.pem": home.certificate };
      for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
      return key;
    };
    const first = await issue();
    await using server = await startSecretServer(kind, directory);
    const journal = new IdentityJournal();
    const watch = sds({ socket: `tcp://${host}:${server.port}` }).watch(journal);
    try {
      const { key, trust } = await journal.updated(1);
      expect(key).toBe(first);
      expect([...trust.bundles.keys()]).toEqual(["example.org"]);
      const second = await issue();
      server.renew();
      expect((await journal.updated(2)).key).toBe(second);
      expect(journal.failures).toEqual([]);
    } finally {
      watch.close();
    }
  });
});
