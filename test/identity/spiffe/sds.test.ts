import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../src/identity/spiffe/protos/envoy-discovery_pb.ts";
import { SecretSchema, SPIFFECertValidatorConfigSchema } from "../../../src/identity/spiffe/protos/envoy-secret_pb.ts";
import { type SdsOptions, sds } from "../../../src/identity/spiffe/sds.ts";
import { Authority, type Issued } from "../../support/authority.ts";
import { IdentityJournal } from "../../support/identity-journal.ts";
import { until } from "../../support/until.ts";

type SecretShape = MessageInitShape<typeof SecretSchema>;

const id = "spiffe://example.org/shop/orders";
const folder = mkdtempSync(join(tmpdir(), "sds-"));
const prefix = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.";
const asItIs = (bytes: Buffer): Buffer => bytes;
const inline = (text: string) => ({ specifier: { case: "inlineString" as const, value: text } });

/** A server of secrets: it sends what a test gives it, right or wrong. */
class SecretServer {
  readonly requests: DiscoveryRequest[] = [];
  readonly path: string;
  #server: Server | undefined;
  #stream: ServerDuplexStream<Buffer, Buffer> | undefined;
  #first: SecretShape[] = [];
  #count = 0;

  constructor(path: string) {
    this.path = path;
  }

  async start(first: SecretShape[]): Promise<void> {
    this.#first = first;
    const path = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets";
    const server = new Server();
    const stream = { path, requestStream: true, responseStream: true, requestSerialize: asItIs, requestDeserialize: asItIs };
    server.addService(
      { stream: { ...stream, responseSerialize: asItIs, responseDeserialize: asItIs } },
      {
        stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
          this.#stream = call;
          call.on("error", () => {});
          call.on("data", (bytes: Buffer) => {
            const request = fromBinary(DiscoveryRequestSchema, bytes);
            this.requests.push(request);
            if (request.responseNonce === "" && this.#first.length > 0) this.give(this.#first);
          });
        },
      },
    );
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix:${this.path}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
    );
    this.#server = server;
  }

  give(secrets: SecretShape[]): void {
    const count = ++this.#count;
    const resources = secrets.map((secret) => ({
      typeUrl: `${prefix}Secret`,
      value: toBinary(SecretSchema, create(SecretSchema, secret)),
    }));
    const response = create(DiscoveryResponseSchema, {
      versionInfo: `v${count}`,
      nonce: `n${count}`,
      resources,
      typeUrl: `${prefix}Secret`,
    });
    this.#stream?.write(Buffer.from(toBinary(DiscoveryResponseSchema, response)));
  }

  stop(): void {
    this.#server?.forceShutdown();
    rmSync(this.path, { force: true });
  }
}

let home: Authority;
let partner: Authority;
let first: Issued;
let second: Issued;
let server: SecretServer;
let journal: IdentityJournal;
let count = 0;
const watches: { close(): void }[] = [];

beforeAll(async () => {
  [home, partner] = await Promise.all([Authority.create("example.org"), Authority.create("partner.example")]);
  [first, second] = await Promise.all([home.issue({ uris: [id] }), home.issue({ uris: [id] })]);
});
beforeEach(() => {
  server = new SecretServer(join(folder, `${count++}.sock`));
  journal = new IdentityJournal();
});
afterEach(() => {
  for (const watch of watches.splice(0)) watch.close();
  server.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function watch(options: SdsOptions = {}): void {
  watches.push(sds({ socket: `unix://${server.path}`, ...options }).watch(journal));
}

function certificate({ chain, key }: Issued, name = "default"): SecretShape {
  return { name, type: { case: "tlsCertificate", value: { certificateChain: inline(chain), privateKey: inline(key) } } };
}

function authorities(authority: Authority, name = "ROOTCA"): SecretShape {
  return { name, type: { case: "validationContext", value: { trustedCa: inline(authority.certificate) } } };
}

describe("an identity of the secret discovery service", () => {
  it("is whole only when certificate and authorities have come, and each response is answered", async () => {
    await server.start([certificate(first)]);
    watch();
    await until("the answer", () => server.requests.length >= 2);
    expect(journal.updates).toEqual([]);
    server.give([authorities(home)]);
    const { key, trust } = await journal.updated(1);
    expect(key).toBe(first.key);
    expect([...trust.bundles.keys()]).toEqual(["example.org"]);
    await until("the answer", () => server.requests.length >= 3);
    expect(server.requests.map((each) => [each.versionInfo, each.responseNonce, each.resourceNames])).toEqual([
      ["", "", ["default", "ROOTCA"]],
      ["v1", "n1", ["default", "ROOTCA"]],
      ["v2", "n2", ["default", "ROOTCA"]],
    ]);
    server.give([certificate(second)]);
    expect((await journal.updated(2)).key).toBe(second.key);
  });

  it.each<[string, RegExp, () => SecretShape]>([
    ["the key of another certificate", /not that of its certificate/, () => certificate({ ...second, key: first.key })],
    ["a certificate that is none", /cannot be read/, () => certificate({ ...second, chain: "hello" })],
    [
      "a key in a file",
      /is not inline/,
      () => ({
        name: "default",
        type: {
          case: "tlsCertificate",
          value: { certificateChain: inline(second.chain), privateKey: { specifier: { case: "filename", value: "/etc/shadow" } } },
        },
      }),
    ],
    ["no authority", /has no authorities/, () => ({ name: "ROOTCA", type: { case: "validationContext", value: {} } })],
  ])("with %s is refused with the version that stays, and replaces nothing", async (_what, text, secret) => {
    await server.start([certificate(first), authorities(home)]);
    watch();
    await journal.updated(1);
    server.give([secret()]);
    await journal.failed(text);
    const nack = await until("the refusal", () => server.requests.find(({ responseNonce }) => responseNonce === "n2") ?? false);
    expect(nack).toMatchObject({ versionInfo: "v1", errorDetail: { code: 3, message: expect.stringMatching(text) } });
    expect(journal.updates).toHaveLength(1);
    server.give([certificate(second)]);
    expect((await journal.updated(2)).key).toBe(second.key);
  });

  it("has the authorities of other trust domains, by secrets of their names or by one of all", async () => {
    await server.start([certificate(first), authorities(home), authorities(partner, "spiffe://partner.example")]);
    watch({ authorities: ["ROOTCA", "spiffe://partner.example"] });
    expect([...(await journal.updated(1)).trust.bundles.keys()].sort()).toEqual(["example.org", "partner.example"]);

    journal = new IdentityJournal();
    const config = create(SPIFFECertValidatorConfigSchema, {
      trustDomains: [
        { name: "example.org", trustBundle: inline(home.certificate) },
        { name: "partner.example", trustBundle: inline(partner.certificate) },
      ],
    });
    const typedConfig = { typeUrl: `${prefix}SPIFFECertValidatorConfig`, value: toBinary(SPIFFECertValidatorConfigSchema, config) };
    server.stop();
    await server.start([
      certificate(first),
      { name: "ALL", type: { case: "validationContext", value: { customValidatorConfig: { name: "spiffe", typedConfig } } } },
    ]);
    watch({ authorities: ["ALL"] });
    expect([...(await journal.updated(1)).trust.bundles.keys()].sort()).toEqual(["example.org", "partner.example"]);
  });

  it("goes on with a server that was restarted", async () => {
    await server.start([certificate(first), authorities(home)]);
    watch();
    await journal.updated(1);
    server.stop();
    await journal.failed(/UNAVAILABLE/);
    await server.start([certificate(second), authorities(home)]);
    await until("the second certificate", () => journal.updates.some(({ key }) => key === second.key), 15_000);
    const firsts = server.requests.filter(({ responseNonce }) => responseNonce === "");
    expect(firsts.map(({ versionInfo }) => versionInfo)).toEqual(firsts.map(() => ""));
  });
});
