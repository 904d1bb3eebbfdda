import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { fileIdentity } from "../../src/index.ts";
import { askTls, credentialsOf, GivenIdentity, secured } from "../server/entrance/secured.ts";
import { Authority, type Issued } from "../support/authority.ts";
import { doorNames, doors } from "../support/doors.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening } from "../support/servers.ts";
import { until } from "../support/until.ts";

let td: Authority;
let own: Issued;

beforeAll(async () => {
  td = await Authority.create("td");
  own = await td.issue({ uris: ["spiffe://td/client"] });
});

const trusting = (issued: Issued) => new GivenIdentity(credentialsOf(issued, { bundles: new Map([["td", [td.certificate]]]) }));

/** An instance of the service `name`, with an honest certificate for that. */
async function instance(name: string) {
  const { chain, key } = await td.issue({ uris: [`spiffe://td/${name}`] });
  const seen: { path: string | undefined; isResumed: boolean }[] = [];
  const server = createServer({ cert: chain, key }, (request, response) => {
    seen.push({ path: request.url, isResumed: (request.socket as TLSSocket).isSessionReused() });
    response.end(name);
  });
  server.on("tlsClientError", () => {});
  server.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"));
  return { port: await listening(server), seen };
}

describe("an instance that is registered under the name of another service", () => {
  it.each(doorNames)("T16: gets no request where the service has an expected id, by %s", async (door) => {
    const poisoned = await instance("attacker");
    const mesh = meshOf({ svc: poisoned.port }, { retry: false, identity: trusting(own), peer: { mode: "strict", id: "spiffe://td/svc" } });
    const error = (await rejectionOf(doors[door](mesh, { headers: { authorization: "Bearer x" } }))) as Error;
    expect(error.message).toMatch(/it is spiffe:\/\/td\/attacker, and spiffe:\/\/td\/svc is expected \(peer\.id\)$/);
    expect(poisoned.seen).toEqual([]);
  });

  it("T16: gets what is sent in plain text, or to any peer with a certificate: as SECURITY.md says", async () => {
    const poisoned = await instance("attacker");
    const mesh = meshOf(
      { svc: poisoned.port },
      { retry: false, tls: { ca: td.certificate, serverName: "any" } as never, peer: { mode: "off" } },
    );
    await rejectionOf(mesh.fetch("svc/x"));
    const plain = meshOf(
      { svc: poisoned.port },
      { retry: false, identity: trusting(own), peer: { mode: "strict", id: "spiffe://td/attacker" } },
    );
    expect(await (await plain.fetch("svc/x")).text()).toBe("attacker");
  });

  it("T17: is not let in by the TLS session of a service that it is allowed to be", async () => {
    const b = await instance("b");
    const services = { a: { peer: { id: "spiffe://td/a" } }, b: { peer: { id: "spiffe://td/b" } } };
    const mesh = meshOf({ a: b.port, b: b.port }, {
      retry: false,
      breaker: false,
      identity: trusting(own),
      peer: { mode: "strict" },
      connections: { maxRequests: 1 },
      services,
    } as never);
    for (let round = 0; round < 3; round++) {
      expect(await (await mesh.fetch("b/x")).text()).toBe("b");
      expect(await rejectionOf(mesh.fetch("a/x"))).toMatchObject({ code: "ERR_MESH_TLS_PEER", maybeExecuted: false });
    }
    expect(b.seen).toEqual(new Array(3).fill({ path: "/x", isResumed: false }));
  });
});

describe("T42: credentials that change under way", () => {
  it("take effect as pairs alone: a key without its certificate and half a file change nothing", async () => {
    const directory = await mkdtemp(join(tmpdir(), "inmesh-threat-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    const [first, second] = [await td.issue({ uris: ["spiffe://td/orders"] }), await td.issue({ uris: ["spiffe://td/orders"] })];
    const path = (name: string) => join(directory, name);
    const put = (name: string, text: string) => writeFile(path(name), text, { mode: 0o600 });
    await Promise.all([put("cert", first.chain), put("key", first.key), put("ca", td.certificate)]);
    const identity = fileIdentity({
      cert: path("cert"),
      key: path("key"),
      ca: path("ca"),
      bundles: { td: path("ca") },
      pollMs: 20,
    } as never);
    const { port, serving } = await secured({ identity });
    const tls = { cert: own.chain, key: own.key, ca: td.certificate };
    for (const [name, text] of [
      ["cert", second.chain],
      ["cert", first.chain.slice(0, 200)],
      ["cert", ""],
      ["cert", first.chain],
      ["key", second.key],
      ["key", first.key.slice(0, 60)],
    ] as const) {
      await put(name, text);
      for (let call = 0; call < 3; call++) expect(await askTls(port, tls)).toBe("ok 1.1");
      expect(await serving.readiness()).toEqual({ ready: true });
    }
  });

  it("end: a server whose certificate has expired takes no connection and is not ready, until it has another one", async () => {
    const ending = await td.issue({ uris: ["spiffe://td/orders"], notAfter: new Date(Date.now() + 2_000) });
    const identity = trusting(ending);
    const { port, serving, lines, seen } = await secured({ identity });
    const tls = { cert: own.chain, key: own.key, ca: td.certificate };
    expect(await askTls(port, tls)).toBe("ok 1.1");
    await until("it has expired", async () => !(await serving.readiness()).ready, 10_000);
    expect(await serving.readiness()).toEqual({ ready: false, reason: "its identity has expired" });
    const error = await rejectionOf(askTls(port, tls));
    expect((error as { code?: string }).code).toBe("ECONNRESET");
    expect(seen).toHaveLength(1);
    expect(lines.join("\n")).toMatch(/takes no connection over TLS: its identity has expired/);
    expect(lines.join("\n")).toMatch(/has refused a connection: ERR_MESH_IDENTITY/);
    identity.update(credentialsOf(await td.issue({ uris: ["spiffe://td/orders"] }), { bundles: new Map([["td", [td.certificate]]]) }));
    expect(await askTls(port, tls)).toBe("ok 1.1");
    expect(await serving.readiness()).toEqual({ ready: true });
  }, 20_000);
});

describe("T43: options and variables that would switch verification off", () => {
  it("are refused or have no effect", async () => {
    for (const tls of [{ rejectUnauthorized: false }, { checkServerIdentity: () => undefined }])
      expect(() => meshOf({ svc: 1 }, { tls: tls as never })).toThrow(/tls has no option "(?:rejectUnauthorized|checkServerIdentity)"/);
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    onTestFinished(() => void vi.unstubAllEnvs());
    const other = await Authority.create("td");
    const { chain, key } = await other.issue({ uris: ["spiffe://td/svc"] });
    const { port, seen } = await secured({ identity: trusting(await td.issue({ uris: ["spiffe://td/orders"] })) });
    await expect(askTls(port, { cert: chain, key, ca: td.certificate })).rejects.toMatchObject({ code: "ECONNRESET" });
    await expect(askTls(port, { ca: td.certificate })).rejects.toBeInstanceOf(Error);
    expect(seen).toEqual([]);
    const impostor = createServer({ cert: chain, key }, (_request, response) => void response.end("impostor"));
    impostor.on("tlsClientError", () => {});
    const at = await listening(impostor);
    const mesh = meshOf({ svc: at }, { retry: false, identity: trusting(own), peer: { mode: "strict", id: "spiffe://td/svc" } });
    expect(await rejectionOf(mesh.fetch("svc/x"))).toMatchObject({ code: "ERR_MESH_TLS_PEER", maybeExecuted: false });
  });
});
