import { once } from "node:events";
import { type ClientRequest, createServer, type IncomingMessage, type RequestOptions, request as send } from "node:http";
import { createSecureServer } from "node:http2";
import { request as sendSecured } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { createMesh } from "../../src/mesh/mesh.ts";
import { consul } from "../../src/registries/consul.ts";
import type { NodeServer, ServerReply, ServerRequest } from "../../src/server/node-server.ts";
import { callerOf, inbound, serve } from "../../src/server/server.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";
import { startConsulSidecar } from "../servers/consul-sidecar.ts";
import { until } from "../support/until.ts";

const host = "127.0.0.1";

const answer = (
  request: ServerRequest & Pick<IncomingMessage, "resume" | "once">,
  response: ServerReply & { end(text: string): unknown },
): void => {
  request.resume();
  request.once("end", () => response.end(`${request.method} ${request.url} HTTP/${request.httpVersion} by ${callerOf(request)?.identity}`));
};

/** A server of inmesh that is part of the mesh by itself: without a sidecar, with the identity and the intentions that Consul has for `orders`. */
async function serveOrders(server: ConsulServer, own: NodeServer, minVersion: "TLSv1.2" | "TLSv1.3") {
  const registry = consul({ url: server.url, connect: true });
  (own as ReturnType<typeof createServer>).listen(0, host);
  await once(own as ReturnType<typeof createServer>, "listening");
  const serving = serve(own, {
    mesh: createMesh({ discovery: registry, identity: registry.identity("orders") }),
    register: { service: "orders", host, secure: true, registrar: registry },
    identity: registry.identity("orders"),
    callers: { minVersion },
    inbound: { authorization: { source: registry.intentions("orders") } },
    lameDuckMs: 0,
    signals: [],
    log: false,
  });
  return {
    registry,
    async [Symbol.asyncDispose]() {
      await serving.stop();
    },
  };
}

// A sidecar that calls speaks TLS 1.2, unless the `mesh` of Consul says more.
const servers = [
  ["http", "1.1", "TLSv1.2", () => createServer((...both) => answer(...both))],
  [
    "http2",
    "2.0",
    "TLSv1.3",
    () => createSecureServer({ allowHTTP1: true }, (request, response) => answer(request as never, response as never)),
  ],
] as const;

describe.skipIf(!available("consul") || !available("envoy"))("a server of inmesh in a Connect mesh", () => {
  it.each(servers)(
    "that Consul knows as one of %s is called by real sidecars, whose identity and intentions decide",
    async (protocol, version, minVersion, make) => {
      await using server = await startConsul({ grpc: true, config: { connect: { enabled: true }, default_intention_policy: "deny" } });
      await server.put("/v1/config", { Kind: "service-defaults", Name: "orders", Protocol: protocol });
      if (minVersion === "TLSv1.3")
        await server.put("/v1/config", { Kind: "mesh", TLS: { Outgoing: { TLSMinVersion: "TLSv1_3", TLSMaxVersion: "TLSv1_3" } } });
      const permissions = [
        { Action: "deny", HTTP: { PathPrefix: "/orders/secret" } },
        { Action: "allow", HTTP: { PathPrefix: "/orders", Methods: ["GET", "POST"] } },
      ];
      const Sources = [
        { Name: "web", Permissions: permissions },
        { Name: "batch", Action: "deny" },
      ];
      await server.put("/v1/config", { Kind: "service-intentions", Name: "orders", Sources });
      await using served = await serveOrders(server, make() as NodeServer, minVersion);
      const [web, batch] = await Promise.all(
        ["web", "batch"].map((service) => startConsulSidecar(server, { service, servicePort: 9, upstreams: ["orders"] })),
      );
      onTestFinished(async () => void (await Promise.all([web?.stop(), batch?.stop()])));
      const ask = async (sidecar: typeof web, method: string, path: string) => {
        const body = method === "POST" ? { body: "a body" } : {};
        const response = await fetch(`http://${host}:${sidecar?.upstreamPorts.get("orders")}${path}`, { method, ...body });
        return [response.status, await response.text()] as const;
      };
      const { TrustDomain } = (await server.get("/v1/agent/connect/ca/roots")) as { TrustDomain: string };
      const named = `by spiffe://${TrustDomain}/ns/default/dc/dc1/svc/web`;
      await until("a request gets through", async () => (await ask(web, "GET", "/orders"))[0] === 200, 30_000);
      expect(await ask(web, "GET", "/orders/1?a=b")).toEqual([200, `GET /orders/1?a=b HTTP/${version} ${named}`]);
      expect(await ask(web, "POST", "/orders")).toEqual([200, `POST /orders HTTP/${version} ${named}`]);
      expect((await ask(web, "DELETE", "/orders"))[0]).toBe(403);
      expect((await ask(web, "GET", "/orders/secret"))[0]).toBe(403);
      expect((await ask(web, "GET", "/admin"))[0]).toBe(403);
      await until("the other sidecar knows the instance", async () => (await ask(batch, "GET", "/orders"))[0] === 403, 30_000);

      // And so does a mesh without a sidecar, which finds it beside those with one.
      await using caller = createMesh({ discovery: served.registry, identity: served.registry.identity("web"), retry: false });
      const called = await caller.fetch("orders/orders/2");
      expect([called.status, await called.text()]).toEqual([200, `GET /orders/2 HTTP/${version} ${named}`]);
      await using denied = createMesh({ discovery: served.registry, identity: served.registry.identity("batch"), retry: false });
      expect((await denied.fetch("orders/orders/2")).status).toBe(403);
    },
    90_000,
  );

  it("behind its own sidecar believes only the element that the sidecar has written, and takes the header of others out", async () => {
    await using server = await startConsul({ grpc: true, config: { connect: { enabled: true }, default_intention_policy: "allow" } });
    await server.put("/v1/config", { Kind: "service-defaults", Name: "orders", Protocol: "http" });
    // The sidecar is this machine's 127.0.0.1, and what comes from 127.0.0.2 is another peer.
    await using guard = inbound({ trust: { peers: [`${host}/32`], identity: "x-forwarded-client-cert" } });
    const own = createServer((request, response) =>
      guard(request, response, () => {
        const header = request.headers["x-forwarded-client-cert"];
        response.end(JSON.stringify({ identity: callerOf(request)?.identity, header }));
      }),
    ).listen(0);
    await once(own, "listening");
    onTestFinished(() => void own.close());
    const { port } = own.address() as AddressInfo;
    await using sidecar = await startConsulSidecar(server, { service: "orders", servicePort: port });
    const leaf = (await server.get("/v1/agent/connect/ca/leaf/web")) as { CertPEM: string; PrivateKeyPEM: string; ServiceURI: string };
    const ask = async (
      client: (options: RequestOptions) => ClientRequest,
      header: string,
    ): Promise<{ identity?: string; header?: string }> => {
      const request = client({ host, agent: false, headers: { "x-forwarded-client-cert": header } }).end();
      const [response] = (await once(request, "response")) as [IncomingMessage];
      return JSON.parse(await text(response));
    };
    const tls = { cert: leaf.CertPEM, key: leaf.PrivateKeyPEM, rejectUnauthorized: false };
    const throughSidecar = (options: RequestOptions) => sendSecured({ ...options, ...tls, port: sidecar.port });
    const forged = "By=spiffe://forged/ns/default/dc/dc1/svc/orders;Hash=00;URI=spiffe://forged/ns/default/dc/dc1/svc/root";
    for (const claim of [forged, `${forged},${forged}`, `${forged};Cert="x,y"`]) {
      const { identity, header } = await ask(throughSidecar, claim);
      expect(header?.startsWith(`${claim},`)).toBe(true);
      expect(identity).toBe(leaf.ServiceURI);
    }
    // A claim that is left open would swallow the sidecar's own element: the caller is then not known at all.
    for (const claim of [`${forged};Subject="`, `${forged},`, `${forged};`])
      expect((await ask(throughSidecar, claim)).identity).toBeUndefined();
    const direct = (options: RequestOptions) => send({ ...options, port, localAddress: "127.0.0.2" });
    expect(await ask(direct, `URI=${leaf.ServiceURI}`)).toEqual({});
  }, 60_000);
});
