// Connections of gRPC clients are those of the mesh: its identity, its judgement of peers, on every one of them.
import * as grpc from "@grpc/grpc-js";
import { beforeAll, describe, expect, it } from "vitest";
import { grpcDetails } from "../../src/grpc/grpc.ts";
import type { Credentials } from "../../src/identity/credentials.ts";
import type { IdentityListener, IdentitySource } from "../../src/identity/identity-source.ts";
import { createMesh, staticDiscovery } from "../../src/index.ts";
import { closing } from "../support/mesh.ts";
import { Authority, type Issued } from "../support/odd-authority.ts";
import { clientOf } from "./clients.ts";
import { errorOf, greet, startGreeter } from "./greeter.ts";

const domain = "example.org";
const greeterId = `spiffe://${domain}/greeter`;
let authority: Authority;
let instance: { readonly port: number; readonly callers: string[] };
let instanceCertificate: Issued;

beforeAll(async () => {
  authority = await Authority.create();
  instanceCertificate = await authority.issue({ uris: [greeterId] });
});

async function start() {
  const { cert, key } = instanceCertificate;
  const credentials = grpc.ServerCredentials.createSsl(
    Buffer.from(authority.cert),
    [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }],
    true,
  );
  const callers: string[] = [];
  const { port } = await startGreeter(
    {
      greet(call, told) {
        callers.push(call.getAuthContext().sslPeerCertificate?.subjectaltname ?? "none");
        told(null, "x");
      },
    },
    { credentials },
  );
  instance = { port, callers };
}

function source(first: Credentials) {
  let listener: IdentityListener | undefined;
  const identity: IdentitySource = {
    name: "scripted",
    watch(given) {
      listener = given;
      queueMicrotask(() => given.update(first));
      return { close() {} };
    },
  };
  return { identity, update: (next: Credentials) => listener?.update(next) };
}

async function credentialsOf(name: string): Promise<Credentials> {
  const { cert, key } = await authority.issue({ uris: [`spiffe://${domain}/${name}`] });
  return { certificate: cert, key, trust: { authorities: [authority.cert], bundles: new Map([[domain, [authority.cert]]]) } };
}

function meshTo(identity: IdentitySource, id: string, connections = {}) {
  const discovery = staticDiscovery({ greeter: [{ host: "127.0.0.1", port: instance.port, secure: true }] });
  return closing(createMesh({ discovery, identity, peer: { id }, connections, retry: false, drainTimeoutMs: 0 }));
}

describe("over mutual TLS", () => {
  it("the instance sees the identity of the mesh, and a later one without a restart", async () => {
    await start();
    const { identity, update } = source(await credentialsOf("first"));
    const client = clientOf(meshTo(identity, greeterId, { maxRequests: 1 }));
    await greet(client, "x");
    update(await credentialsOf("second"));
    await expect
      .poll(async () => {
        await greet(client, "x");
        return instance.callers.at(-1);
      })
      .toContain("/second");
    expect(instance.callers[0]).toContain("/first");
  });

  it("an instance with another id than the expected one gets nothing", async () => {
    await start();
    const { identity } = source(await credentialsOf("client"));
    const error = await errorOf(greet(clientOf(meshTo(identity, `spiffe://${domain}/other`)), "x"));
    expect(error.code).toBe(grpc.status.UNAVAILABLE);
    expect(error.details).toContain('"greeter"');
    expect(grpcDetails(error)?.maybeExecuted).toBe(false);
    expect(instance.callers).toEqual([]);
  });

  it("credentials of a call go over TLS or not at all", async () => {
    const plain = await startGreeter();
    const mesh = closing(createMesh({ discovery: staticDiscovery({ greeter: [{ host: "127.0.0.1", port: plain.port }] }), retry: false }));
    const token = grpc.credentials.createFromMetadataGenerator((_options, told) => {
      const metadata = new grpc.Metadata();
      metadata.set("authorization", "Bearer secret");
      told(null, metadata);
    });
    const refused = await errorOf(greet(clientOf(mesh), "x", { credentials: token }));
    expect(refused.code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(refused.details).toContain("TLS");
    const always = await errorOf(greet(clientOf(mesh, { requireTls: true }), "x"));
    expect(always.code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(plain.calls).toBe(0);
  });

  it("credentials that cannot be had end the call", async () => {
    await start();
    const { identity } = source(await credentialsOf("client"));
    const failing = grpc.credentials.createFromMetadataGenerator((_options, told) => told(new Error("no token today")));
    const error = await errorOf(greet(clientOf(meshTo(identity, greeterId), { callCredentials: failing }), "x"));
    expect(error).toMatchObject({ code: grpc.status.UNAVAILABLE, details: expect.stringContaining("no token today") });
    expect(instance.callers).toEqual([]);
  });
});
