// A server of grpc-js, called by inmesh/connect, once with the real Envoy in between.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type StringValue, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { expect, it, onTestFinished } from "vitest";
import { meshTransport } from "../../src/connect/connect.ts";
import { available } from "../servers/available.ts";
import { startEnvoyFile } from "../servers/envoy.ts";
import { meshOf } from "../support/mesh.ts";
import { type EchoClient, echoService, text, texts, valuesOf } from "./echo-service.ts";

const service = echoService();
const write = (value: StringValue) => Buffer.from(toBinary(StringValueSchema, value));
const read = (bytes: Buffer) => fromBinary(StringValueSchema, bytes);
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.v1.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: write,
  requestDeserialize: read,
  responseSerialize: write,
  responseDeserialize: read,
});

async function grpcJsServer() {
  const server = new grpc.Server();
  server.addService(
    {
      Say: method("Say", false, false),
      Count: method("Count", false, true),
      Sum: method("Sum", true, false),
      Chat: method("Chat", true, true),
    },
    {
      Say: ({ request, metadata }: grpc.ServerUnaryCall<StringValue, StringValue>, done: grpc.sendUnaryData<StringValue>) => {
        if (request.value === "bad") {
          const details = new grpc.Metadata();
          details.set("x-why", "because");
          done({ code: grpc.status.FAILED_PRECONDITION, details: "not 100 % ☃", metadata: details });
        } else done(null, text(`${request.value} ${String(metadata.get("x-mine")[0] ?? "")}`.trim()));
      },
      Count: (call: grpc.ServerWritableStream<StringValue, StringValue>) => {
        for (let number = 1; number <= Number(call.request.value); number++) call.write(text(String(number)));
        call.end();
      },
      Sum: (call: grpc.ServerReadableStream<StringValue, StringValue>, done: grpc.sendUnaryData<StringValue>) => {
        let sum = 0;
        call.on("data", ({ value }: StringValue) => {
          sum += Number(value);
        });
        call.on("end", () => done(null, text(String(sum))));
      },
      Chat: (call: grpc.ServerDuplexStream<StringValue, StringValue>) => {
        call.on("data", ({ value }: StringValue) => call.write(text(`> ${value}`)));
        call.on("end", () => call.end());
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  onTestFinished(() => server.forceShutdown());
  return port;
}

async function callAll(port: number) {
  const mesh = meshOf({ echo: port }, { protocol: "h2", retry: false });
  const client = createClient(service, meshTransport(mesh, "echo", { sendCompression: "gzip" })) as unknown as EchoClient;
  expect((await client.say(text("hi"), { headers: { "x-mine": "1" } })).value).toBe("hi 1");
  expect((await client.say(text("x".repeat(5_000)))).value).toHaveLength(5_000);
  expect(await valuesOf(client.count(text("300")))).toHaveLength(300);
  expect((await client.sum(texts("1", "2", "39"))).value).toBe("42");
  expect(await valuesOf(client.chat(texts("a", "b")))).toEqual(["> a", "> b"]);
  const error = ConnectError.from(await client.say(text("bad")).catch((thrown: unknown) => thrown));
  expect([error.code, error.rawMessage, error.metadata.get("x-why")]).toEqual([Code.FailedPrecondition, "not 100 % ☃", "because"]);
  const unknown = ConnectError.from(await client.missing(text("x")).catch((thrown: unknown) => thrown));
  expect(unknown.code).toBe(Code.Unimplemented);
  return mesh;
}

/** A proxy of HTTP/2 on both sides. */
function proxyOf(own: number, port: number): string {
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "in",
    codec_type: "HTTP2",
    route_config: {
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "echo", timeout: "0s" } }] }],
    },
    http_filters: [{ name: "router", typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } }],
  };
  const address = (port_value: number) => ({ socket_address: { address: "127.0.0.1", port_value } });
  const options = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  const cluster = {
    name: "echo",
    type: "STATIC",
    connect_timeout: "1s",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": { "@type": options, explicit_http_config: { http2_protocol_options: {} } },
    },
    load_assignment: { cluster_name: "echo", endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }] },
  };
  const listener = { address: address(own), filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }] };
  return JSON.stringify({ static_resources: { listeners: [listener], clusters: [cluster] } });
}

it("calls every kind of method of a server of grpc-js", async () => {
  await callAll(await grpcJsServer());
});

it.skipIf(!available("envoy"))("calls it through Envoy, whose own answers are statuses, too", { timeout: 60_000 }, async () => {
  const port = await grpcJsServer();
  const envoy = await startEnvoyFile((own) => proxyOf(own, port));
  onTestFinished(() => envoy.stop());
  // A method that the server does not have counts as 501 does.
  const mesh = await callAll(envoy.port);
  expect(mesh.explain("echo")?.endpoints[0]?.failures).toBe(1);
  // Envoy answers for an instance that is gone: HTTP 200 with a status of gRPC in a head.
  const gone = await startEnvoyFile((own) => proxyOf(own, 9));
  onTestFinished(() => gone.stop());
  const lonely = meshOf({ echo: gone.port }, { protocol: "h2", retry: false });
  const client = createClient(service, meshTransport(lonely, "echo")) as unknown as EchoClient;
  const error = ConnectError.from(await client.say(text("x")).catch((thrown: unknown) => thrown));
  expect(error.code).toBe(Code.Unavailable);
  expect(lonely.explain("echo")?.endpoints[0]?.failures).toBe(1);
});
