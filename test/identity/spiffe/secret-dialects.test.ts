import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerDuplexStream, type UntypedHandleCall } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../src/identity/spiffe/protos/envoy-discovery_pb.ts";
import { SecretSchema } from "../../../src/identity/spiffe/protos/envoy-secret_pb.ts";
import { sds } from "../../../src/identity/spiffe/sds.ts";
import { Authority, type Issued } from "../../support/authority.ts";
import { IdentityJournal } from "../../support/identity-journal.ts";
import { until } from "../../support/until.ts";

type SecretShape = MessageInitShape<typeof SecretSchema>;
type Stream = ServerDuplexStream<Buffer, Buffer>;
type Kind = "StreamSecrets" | "DeltaSecrets";

const folder = mkdtempSync(join(tmpdir(), "sds-changes-"));
const typeUrl = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
const asItIs = (bytes: Buffer): Buffer => bytes;
const inline = (text: string) => ({ specifier: { case: "inlineString" as const, value: text } });

/** A server of secrets with one of the two streams, as some have only the one. */
class OneStreamServer {
  readonly path = join(folder, `${Math.random().toString(36).slice(2)}.sock`);
  readonly requests: DeltaDiscoveryRequest[] = [];
  /** Streams that were begun. */
  streams = 0;
  readonly #secrets: readonly SecretShape[];
  #server = new Server();
  #stream: Stream | undefined;
  #count = 0;

  constructor(secrets: readonly SecretShape[]) {
    this.#secrets = secrets;
  }

  async start(...kinds: readonly Kind[]): Promise<void> {
    const serializers = { requestSerialize: asItIs, requestDeserialize: asItIs, responseSerialize: asItIs, responseDeserialize: asItIs };
    const method = (kind: Kind) => ({
      path: `/envoy.service.secret.v3.SecretDiscoveryService/${kind}`,
      requestStream: true,
      responseStream: true,
      ...serializers,
    });
    const handlers: Record<Kind, UntypedHandleCall> = {
      DeltaSecrets: (call: Stream) => this.#serveChanges(call),
      StreamSecrets: (call: Stream) => this.#serveState(call),
    };
    this.#server = new Server();
    if (kinds.length > 0)
      this.#server.addService(
        Object.fromEntries(kinds.map((kind) => [kind, method(kind)])),
        Object.fromEntries(kinds.map((kind) => [kind, handlers[kind]])),
      );
    await new Promise<void>((resolve, reject) =>
      this.#server.bindAsync(`unix:${this.path}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
    );
  }

  /** Sends changes on the stream that is open. */
  give(secrets: readonly SecretShape[], removedResources: readonly string[] = [], name?: string): void {
    const resources = secrets.map((secret) => ({
      name: name ?? secret.name ?? "",
      version: "1",
      resource: { typeUrl, value: toBinary(SecretSchema, create(SecretSchema, secret)) },
    }));
    const response = { nonce: `n${++this.#count}`, resources, removedResources: [...removedResources], typeUrl };
    this.#stream?.write(Buffer.from(toBinary(DeltaDiscoveryResponseSchema, create(DeltaDiscoveryResponseSchema, response))));
  }

  stop(): void {
    this.#server.forceShutdown();
    rmSync(this.path, { force: true });
  }

  #serveChanges(call: Stream): void {
    this.streams++;
    this.#stream = call;
    call.on("error", () => {});
    call.on("data", (bytes: Buffer) => {
      const request = fromBinary(DeltaDiscoveryRequestSchema, bytes);
      this.requests.push(request);
      if (request.responseNonce === "") this.give(this.#secrets);
    });
  }

  #serveState(call: Stream): void {
    this.streams++;
    call.on("error", () => {});
    call.on("data", (bytes: Buffer) => {
      if (fromBinary(DiscoveryRequestSchema, bytes).responseNonce !== "") return;
      const resources = this.#secrets.map((secret) => ({ typeUrl, value: toBinary(SecretSchema, create(SecretSchema, secret)) }));
      const response = create(DiscoveryResponseSchema, { nonce: "n", versionInfo: "v", typeUrl, resources });
      call.write(Buffer.from(toBinary(DiscoveryResponseSchema, response)));
    });
  }
}

let home: Authority;
let first: Issued;
let second: Issued;
let server: OneStreamServer;
let journal: IdentityJournal;
let watch: { close(): void } | undefined;

const certificate = ({ chain, key }: Issued, name = "default"): SecretShape => ({
  name,
  type: { case: "tlsCertificate", value: { certificateChain: inline(chain), privateKey: inline(key) } },
});
const authorities = (authority: Authority): SecretShape => ({
  name: "ROOTCA",
  type: { case: "validationContext", value: { trustedCa: inline(authority.certificate) } },
});

beforeAll(async () => {
  home = await Authority.create("example.org");
  const wanted = { uris: ["spiffe://example.org/shop/orders"] };
  [first, second] = await Promise.all([home.issue(wanted), home.issue(wanted)]);
});
beforeEach(() => {
  server = new OneStreamServer([certificate(first), authorities(home)]);
  journal = new IdentityJournal();
});
afterEach(() => {
  watch?.close();
  server.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function begin(): void {
  watch = sds({ socket: `unix://${server.path}` }).watch(journal);
}

describe("a server of secrets that has changes only", () => {
  beforeEach(() => server.start("DeltaSecrets"));

  it("is found at once, without a failure, and each of its responses is answered", async () => {
    begin();
    expect((await journal.updated(1)).key).toBe(first.key);
    server.give([certificate(second)]);
    const { key, trust } = await journal.updated(2);
    expect(key).toBe(second.key);
    expect([...trust.bundles.keys()]).toEqual(["example.org"]);
    await until("the answers", () => server.requests.length === 3);
    expect(server.requests.map((each) => [each.responseNonce, each.resourceNamesSubscribe, each.node?.id, each.errorDetail])).toEqual([
      ["", ["default", "ROOTCA"], "inmesh", undefined],
      ["n1", [], undefined, undefined],
      ["n2", [], undefined, undefined],
    ]);
    expect(journal.failures).toEqual([]);
  });

  it("that takes a secret back changes nothing, as with Envoy, and is said", async () => {
    begin();
    await journal.updated(1);
    server.give([], ["default", "another"]);
    expect((await journal.failed(/has no secret named "default"$/)).message).toContain(server.path);
    const answered = await until("the answer", () => server.requests.find(({ responseNonce }) => responseNonce === "n2") ?? false);
    expect(answered.errorDetail).toBeUndefined();
    expect([journal.updates.length, journal.withdrawals]).toEqual([1, []]);
    server.give([certificate(second)]);
    expect((await journal.updated(2)).key).toBe(second.key);
  });

  it("is refused with a secret under the name of another one, and nothing is replaced", async () => {
    begin();
    await journal.updated(1);
    server.give([certificate(second)], [], "other");
    await journal.failed(/a resource named "other" has the secret "default"/);
    const nack = await until("the refusal", () => server.requests.find(({ responseNonce }) => responseNonce === "n2") ?? false);
    expect(nack.errorDetail).toMatchObject({ code: 3, message: expect.stringContaining("has the secret") });
    expect(journal.updates).toHaveLength(1);
  });

  it("that is replaced by one with states is asked for these", async () => {
    begin();
    await journal.updated(1);
    server.stop();
    await journal.failed(/UNAVAILABLE/);
    await server.start("StreamSecrets");
    await journal.updated(2);
    expect(server.streams).toBe(2);
  });
});

describe("a server of secrets", () => {
  it("with both kinds of streams is asked for states, whichever comes first", async () => {
    await server.start("DeltaSecrets", "StreamSecrets");
    begin();
    await journal.updated(1);
    expect([server.requests, server.streams]).toEqual([[], 1]);
  });

  it("with neither is a failure that is not repeated", async () => {
    await server.start();
    begin();
    await journal.failed(/UNIMPLEMENTED.*it is not asked again/);
    expect(journal.failures).toHaveLength(1);
  });
});
