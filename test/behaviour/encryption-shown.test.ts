import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { admin } from "../../src/admin/admin.ts";
import type { MeshSnapshot, ServiceSnapshot } from "../../src/admin/snapshot.ts";
import { createMesh, type MeshOptions, roundRobin, staticDiscovery } from "../../src/index.ts";
import type { NodeServer } from "../../src/server/node-server.ts";
import { serve } from "../../src/server/server.ts";
import { runCli } from "../cli/run-cli.ts";
import { credentialsOf, GivenIdentity } from "../server/entrance/secured.ts";
import { Authority } from "../support/authority.ts";
import { closing } from "../support/mesh.ts";

const [web, orders] = ["spiffe://td/web", "spiffe://td/orders"];
let authority: Authority;
beforeAll(async () => {
  authority = await Authority.create("td");
});

async function identity(id: string): Promise<GivenIdentity> {
  return new GivenIdentity(
    credentialsOf(await authority.issue({ uris: [id], addresses: ["127.0.0.1"] }), { bundles: new Map([["td", [authority.certificate]]]) }),
  );
}

/** An instance with an identity, or one in clear text. */
async function instance(server: NodeServer, isSecure: boolean): Promise<{ host: string; port: number; secure: boolean; id: string }> {
  server.on("request", (request, response) => void request.resume().once("end", () => response.end("ok")));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const options = isSecure ? { identity: await identity(orders), callers: { mode: "permissive" } as const } : {};
  const serving = serve(server, { signals: [], log: false, lameDuckMs: 0, ...options });
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  const { port } = server.address() as AddressInfo;
  return { id: isSecure ? "secure" : "clear", host: "127.0.0.1", port, secure: isSecure };
}

async function meshOver(endpoints: Awaited<ReturnType<typeof instance>>[], options: Partial<MeshOptions> = {}) {
  const source = await identity(web);
  const mesh = closing(
    createMesh({
      discovery: staticDiscovery({ orders: endpoints }),
      identity: source,
      picker: roundRobin(),
      drainTimeoutMs: 0,
      ...options,
    }),
  );
  return { mesh, source };
}

test.each([
  ["h1", () => createServer()],
  ["h2", () => createSecureServer({ allowHTTP1: true })],
] as const)("explain says of each instance whether it is encrypted, by which protocol and identity: %s", async (protocol, make) => {
  const endpoints = [await instance(make() as NodeServer, true), await instance(createServer(), false)];
  const { mesh } = await meshOver(endpoints, { protocol: protocol === "h2" ? "auto" : "h1", peer: { id: orders } });
  expect(mesh.explain("orders")).toBeUndefined();
  for (let call = 0; call < 4; call++) await (await mesh.fetch("orders/")).text();
  const explained = mesh.explain("orders");
  expect(explained?.identity).toMatchObject({ source: "given", state: "ready", id: web, failure: undefined });
  expect(explained?.peer).toEqual({ mode: "permissive", ids: [orders] });
  const [secure, clear] = explained?.endpoints ?? [];
  expect(secure?.connection).toMatchObject({ encrypted: true, newest: { tls: "TLSv1.3", protocol, identity: orders } });
  expect(secure?.connection.newest?.expiresAtMs).toBeGreaterThan(Date.now());
  expect(clear?.connection).toEqual({ encrypted: false, newest: undefined });
  const text = String(explained);
  expect(text).toContain(`identity ${web} by given: ready`);
  expect(text).toContain(`TLSv1.3 ${protocol} ${orders}, `);
  expect(text).toMatch(/clear text +in rotation/);
  expect(text + JSON.stringify(explained)).not.toContain("PRIVATE");
});

test("an instance that was refused has shown no identity, and nothing is told of TLS where there is none", async () => {
  const endpoints = [await instance(createServer(), true)];
  const { mesh } = await meshOver(endpoints, { peer: { mode: "strict", id: "spiffe://td/other" }, retry: false });
  await expect(mesh.fetch("orders/")).rejects.toMatchObject({ code: "ERR_MESH_TLS_PEER" });
  expect(mesh.explain("orders")?.endpoints[0]?.connection).toEqual({ encrypted: true, newest: undefined });
  const plain = closing(createMesh({ discovery: staticDiscovery({ orders: [await instance(createServer(), false)] }) }));
  await (await plain.fetch("orders/")).text();
  expect(plain.explain("orders")?.identity).toBeUndefined();
  expect(String(plain.explain("orders"))).not.toMatch(/identity|connection|clear text/);
});

test("the live page and inmesh stat say by which identity the process calls, and what is wrong with it", async () => {
  const endpoints = [await instance(createServer(), true)];
  const { mesh, source } = await meshOver(endpoints, { peer: { mode: "strict", id: orders } });
  const page = await admin(mesh, { port: 0 });
  onTestFinished(() => page.close());
  const own = createServer();
  await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
  const serving = serve(own, {
    mesh,
    identity: await identity(web),
    callers: { mode: "permissive" },
    signals: [],
    log: false,
    lameDuckMs: 0,
  });
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  await (await mesh.fetch("orders/")).text();
  const read = async <T>(path: string): Promise<T> => (await fetch(new URL(path, page.url))).json() as Promise<T>;
  const snapshot = await read<MeshSnapshot>("api/mesh");
  expect(snapshot.process.identity).toMatchObject({ source: "given", state: "ready", id: web, failure: null });
  expect(snapshot.servers).toMatchObject([{ callersMode: "permissive", identity: { id: web, state: "ready" } }]);
  expect((await read<ServiceSnapshot>("api/services/orders")).endpointRows[0]?.connection).toMatch(
    /^TLSv1\.3 h1 spiffe:\/\/td\/orders, \d+ min left$/,
  );
  const stat = (...args: string[]) => runCli(["stat", ...args, "--admin", page.url], { isTerminal: true, columns: 200 });
  expect((await stat()).stdout).toMatch(/identity OK.* · .*server takes clear text/);
  expect((await stat("orders", "-o", "wide")).stdout).toMatch(/TLSv1\.3 h1 spiffe:\/\/td\/orders/);

  source.listener?.fail(new Error("the agent does not answer"));
  expect((await stat()).stderr).toContain("is in use until it expires, and is not renewed: the agent does not answer");
  source.listener?.withdraw(new Error("the authority knows no such process"));
  const { stdout, stderr } = await stat();
  expect(stdout).toContain("identity withdrawn");
  expect(stderr).toContain("no connection over TLS is made: the authority knows no such process");
  expect(JSON.stringify(await read("api/mesh")) + stdout + stderr).not.toContain("PRIVATE");
});
