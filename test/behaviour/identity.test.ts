import type { IncomingMessage, RequestListener } from "node:http";
import { createServer as createPlainServer } from "node:http";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { beforeAll, describe, expect, it } from "vitest";
import type { EndpointPeer } from "../../src/core/endpoint.ts";
import type { Credentials } from "../../src/identity/credentials.ts";
import type { IdentityListener, IdentitySource } from "../../src/identity/identity-source.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { doorNames, doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";
import { Authority, type Issued, type Wanted } from "../support/odd-authority.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening } from "../support/servers.ts";
import { until } from "../support/until.ts";

const domain = "example.org";
const svc = `spiffe://${domain}/svc`;
const client = `spiffe://${domain}/client`;

let authority: Authority;
let own: Issued;

beforeAll(async () => {
  authority = await Authority.create();
  own = await authority.issue({ uris: [client] });
});

function credentialsOf({ cert, key }: Issued, ...authorities: Authority[]): Credentials {
  const all = (authorities.length === 0 ? [authority] : authorities).map((each) => each.cert);
  return { certificate: cert, key, trust: { authorities: all, bundles: new Map([[domain, all]]) } };
}

/** A source that tells what the test tells it. */
function scripted(first: Credentials | undefined) {
  let listener: IdentityListener | undefined;
  const identity: IdentitySource = {
    name: "scripted",
    watch(given) {
      listener = given;
      if (first !== undefined) queueMicrotask(() => given.update(first));
      return { close() {} };
    },
  };
  // Not enumerable, so that it is spread into the options of a mesh without it.
  return Object.defineProperty({ identity }, "tell", { value: () => listener }) as { identity: IdentitySource; tell(): IdentityListener };
}

/** An instance with a certificate, which asks for one, and notes what it has seen. */
async function instance(wanted: Wanted, issuer = authority) {
  const { cert, key } = await issuer.issue(wanted);
  const seen: string[] = [];
  const sockets: TLSSocket[] = [];
  const note = (request: IncomingMessage) => seen.push((request.socket as TLSSocket).getPeerX509Certificate()?.subjectAltName ?? "nobody");
  const answer: RequestListener = (request, response) => {
    note(request);
    response.end("served");
  };
  const server = createServer({ cert, key, ca: [authority.cert], requestCert: true, rejectUnauthorized: false }, answer);
  server.on("tlsClientError", () => {});
  server.on("secureConnection", (socket) => sockets.push(socket));
  server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    note(request);
    socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
  });
  return { port: await listening(server), seen, sockets };
}

type Listed = { readonly port: number; readonly secure?: boolean; readonly peer?: EndpointPeer };

function meshTo(to: Listed | readonly Listed[], options: Partial<MeshOptions>) {
  const endpoints = [to].flat().map(({ port, secure, peer }, index) => ({ id: `i${index}`, host: "127.0.0.1", port, secure, peer }));
  const discovery = {
    async *watch() {
      yield endpoints;
    },
  };
  return closing(createMesh({ discovery, drainTimeoutMs: 0, retry: false, ...options } as MeshOptions));
}

describe.each(doorNames)("by the door %s", (door) => {
  const through = doors[door];

  it.each(["http", "https"] as const)(
    "the instance with the expected id is called over %s:, and sees the identity of the mesh",
    async (scheme) => {
      const server = await instance({ uris: [svc] });
      const mesh = meshTo(server, { ...scripted(credentialsOf(own)), peer: { mode: "strict", id: svc } });
      await through(mesh, { scheme });
      expect(server.seen).toEqual([`URI:${client}`]);
    },
  );

  it.each(["http", "https"] as const)("an instance with another id gets no request over %s:", async (scheme) => {
    const server = await instance({ uris: [`${svc}-admin`], dnsNames: ["svc"], ips: ["127.0.0.1"] });
    const mesh = meshTo(server, { ...scripted(credentialsOf(own)), peer: { mode: "strict", id: svc } });
    const error = await rejectionOf(through(mesh, { scheme }));
    expect(String((error as Error).message)).toContain(`${svc}-admin, and ${svc} is expected`);
    expect(server.seen).toEqual([]);
  });

  it("an instance is known by its address in the certificate where no id is expected, and never by its common name", async () => {
    const good = await instance({ ips: ["127.0.0.1"] });
    await through(meshTo(good, { ...scripted(credentialsOf(own)), peer: { mode: "strict" } }));
    expect(good.seen).toHaveLength(1);
    const bad = await instance({ commonName: "127.0.0.1" });
    await rejectionOf(through(meshTo(bad, { ...scripted(credentialsOf(own)), peer: { mode: "strict" } })));
    expect(bad.seen).toEqual([]);
  });

  it("the id that discovery lists is expected without an option, and an instance with another one gets no request", async () => {
    const listed = { id: `spiffe://${domain}/*/svc`, serverName: "svc.default.dc1.internal.example.org" };
    const good = await instance({ uris: [`spiffe://${domain}/dc7/svc`] });
    await through(meshTo({ ...good, secure: true, peer: listed }, scripted(credentialsOf(own))));
    expect(good.seen).toEqual([`URI:${client}`]);
    expect(good.sockets.map(({ servername }) => servername)).toEqual([listed.serverName]);
    const bad = await instance({ uris: [`spiffe://${domain}/dc7/svc-admin`], ips: ["127.0.0.1"] });
    const error = await rejectionOf(through(meshTo({ ...bad, secure: true, peer: listed }, scripted(credentialsOf(own)))));
    expect(String((error as Error).message)).toContain(`/dc7/svc-admin, and discovery lists ${listed.id}`);
    expect(bad.seen).toEqual([]);
  });

  it("the id that discovery lists takes nothing from the ids and the name of the options", async () => {
    const other = `${svc}-other`;
    const server = await instance({ uris: [other], ips: ["127.0.0.1"] });
    const listed = { ...server, secure: true, peer: { id: other } };
    for (const peer of [{ id: svc }, { name: "svc.internal" }]) {
      const error = await rejectionOf(through(meshTo(listed, { ...scripted(credentialsOf(own)), peer })));
      expect(String((error as Error).message)).toMatch(/is expected \(peer\.id\)|does not name "svc\.internal"/);
    }
    expect(server.seen).toEqual([]);
    // Both hold: the name of the options, and the id that is listed.
    const named = await instance({ uris: [other], dnsNames: ["svc.internal"] });
    await through(
      meshTo({ ...named, secure: true, peer: { id: other } }, { ...scripted(credentialsOf(own)), peer: { name: "svc.internal" } }),
    );
    expect(named.seen).toHaveLength(1);
    await rejectionOf(
      through(meshTo({ ...named, secure: true, peer: { id: svc } }, { ...scripted(credentialsOf(own)), peer: { name: "svc.internal" } })),
    );
    expect(named.seen).toHaveLength(1);
  });

  it("the id that discovery lists is expected without an identity of this process, too", async () => {
    const tls = { ca: authority.cert };
    const good = await instance({ uris: [svc] });
    await through(meshTo({ ...good, secure: true, peer: { id: svc } }, { tls }));
    expect(good.seen).toHaveLength(1);
    const bad = await instance({ uris: [`${svc}-admin`], ips: ["127.0.0.1"] });
    await rejectionOf(through(meshTo({ ...bad, secure: true, peer: { id: svc } }, { tls })));
    expect(bad.seen).toEqual([]);
  });

  it("without an identity nothing is sent, and no instance is blamed", async () => {
    const server = await instance({ uris: [svc] });
    const script = scripted(undefined);
    const mesh = meshTo(server, { ...script, peer: { mode: "strict", id: svc }, breaker: { minCalls: 1 } as never });
    script.tell().withdraw(new Error("it was withdrawn"));
    for (let call = 0; call < 5; call++) {
      const error = await rejectionOf(through(mesh));
      expect((error as { code?: unknown }).code).toBe("ERR_MESH_IDENTITY");
    }
    expect(mesh.explain("svc")?.endpoints[0]).toMatchObject({ state: "available", failures: 0 });
    expect(server.sockets).toEqual([]);
    script.tell().update(credentialsOf(own));
    await through(mesh);
    expect(server.seen).toHaveLength(1);
  });
});

describe("an identity", () => {
  it("is not carried from one expected id to another by the session of an earlier connection", async () => {
    const b = await instance({ uris: [`spiffe://${domain}/b`] });
    const source = scripted(credentialsOf(own));
    const discovery = {
      async *watch() {
        yield [{ id: "b", host: "127.0.0.1", port: b.port, secure: true }];
      },
    };
    const services = { a: { peer: { id: `spiffe://${domain}/a` } }, b: { peer: { id: `spiffe://${domain}/b` } } };
    const mesh = closing(
      createMesh({ discovery, drainTimeoutMs: 0, retry: false, breaker: false, connections: { maxRequests: 1 }, services, ...source }),
    );
    for (let round = 0; round < 3; round++) {
      await expect(mesh.fetch("a/x")).rejects.toMatchObject({ code: "ERR_MESH_TLS_PEER" });
      expect(await (await mesh.fetch("b/x")).text()).toBe("served");
    }
    expect(b.seen).toHaveLength(3);
    expect(b.sockets.every((socket) => !socket.isSessionReused())).toBe(true);
  });

  it("of an authority that is trusted for another domain gets no request", async () => {
    const foreign = await Authority.create("other");
    const server = await instance({ uris: [svc] }, foreign);
    const credentials = credentialsOf(own);
    const bundles = new Map([...credentials.trust.bundles, ["other.org", [foreign.cert]]]);
    const source = scripted({ ...credentials, trust: { authorities: [foreign.cert], bundles } });
    const mesh = meshTo(server, { ...source, peer: { mode: "strict", id: [svc, "spiffe://other.org/svc"] } });
    await expect(mesh.fetch("svc/x")).rejects.toMatchObject({ code: "ERR_MESH_TLS_PEER" });
    expect(server.seen).toEqual([]);
  });

  it("permissive speaks plain text where discovery says so, and never after a failed handshake", async () => {
    const requests: unknown[] = [];
    const port = await listening(createPlainServer((request, response) => response.end(String(requests.push(request)))));
    const plain = meshTo({ port, secure: false }, scripted(credentialsOf(own)));
    await (await plain.fetch("svc/x")).text();
    const secure = meshTo({ port, secure: true }, scripted(credentialsOf(own)));
    await expect(secure.fetch("svc/x")).rejects.toMatchObject({ code: "ERR_MESH_TLS_PEER" });
    expect(requests).toHaveLength(1);
  });

  it("that comes after the first call is waited for", async () => {
    const server = await instance({ uris: [svc] });
    const script = scripted(undefined);
    const mesh = meshTo(server, { ...script, peer: { mode: "strict", id: svc } });
    const call = mesh.fetch("svc/x");
    await until("the service is watched", () => mesh.explain("svc")?.endpoints[0]?.inFlight === 1);
    script.tell().update(credentialsOf(own));
    expect(await (await call).text()).toBe("served");
  });

  it("that changes is shown on new connections, and those of before end within the grace", async () => {
    const server = await instance({ uris: [svc] });
    const script = scripted(credentialsOf(own));
    const mesh = meshTo(server, { ...script, peer: { mode: "strict", id: svc }, identityGraceMs: 50, connections: { maxIdleMs: 60_000 } });
    await (await mesh.fetch("svc/x")).text();
    const [before] = server.sockets;
    script.tell().update(credentialsOf(await authority.issue({ uris: [`${client}2`] })));
    await until("the connection of before is closed", () => before?.destroyed === true);
    await (await mesh.fetch("svc/x")).text();
    expect(server.seen).toEqual([`URI:${client}`, `URI:${client}2`]);
  });

  it("that expires ends its idle connections at once, and the end of its successor is read in the metrics", async () => {
    const server = await instance({ uris: [svc] });
    const script = scripted(credentialsOf(own));
    let endsAt = (): number | undefined => undefined;
    const observers = [
      {
        onOpen(reading: { readonly certificateExpiresAtMs: number | undefined }) {
          endsAt = () => reading.certificateExpiresAtMs;
        },
      },
    ];
    const mesh = meshTo(server, { ...script, observers, peer: { mode: "strict", id: svc }, connections: { maxIdleMs: 60_000 } } as never);
    await (await mesh.fetch("svc/x")).text();
    expect(endsAt()).toBeGreaterThan(Date.now());
    script.tell().withdraw(new Error("no more"));
    await until("the connection is closed", () => server.sockets[0]?.destroyed === true);
    await expect(mesh.fetch("svc/x")).rejects.toMatchObject({ code: "ERR_MESH_IDENTITY", maybeExecuted: false });
  });

  it("is refused beside tls, without a watch, and with an id that is none", () => {
    const discovery = { async *watch() {} };
    const { identity } = scripted(undefined);
    expect(() => createMesh({ discovery, identity, tls: { ca: authority.cert } })).toThrow("tls and identity exclude each other");
    expect(() => createMesh({ discovery, identity: {} as IdentitySource })).toThrow("identity must be an IdentitySource");
    expect(() => createMesh({ discovery, identityGraceMs: 1 })).toThrow("need an identity");
    for (const id of [
      "orders",
      "spiffe://example.org",
      "spiffe://example.org/",
      "spiffe://example.org/a/../b",
      "spiffe://Example.org/a",
      "",
      [],
    ])
      expect(() => createMesh({ discovery, peer: { id } })).toThrow("peer.id must be a SPIFFE id with a path");
  });
});

describe("the option tls", () => {
  it("with an expected id admits the instance that has it, and no other", async () => {
    const server = await instance({ uris: [svc] });
    const tls = { ca: authority.cert, cert: own.cert, key: own.key };
    const good = meshTo(server, { tls, peer: { mode: "strict", id: svc } });
    expect(await (await good.fetch("svc/x")).text()).toBe("served");
    const bad = meshTo(server, { tls, peer: { mode: "strict", id: `${svc}2` } });
    await expect(bad.fetch("svc/x")).rejects.toMatchObject({ code: "ERR_MESH_TLS_PEER" });
    expect(server.seen).toHaveLength(1);
  });
});
