// Connect and gRPC-Web over mesh.fetch, to a server of Connect.
import { createServer } from "node:http";
import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_wrappers,
  type StringValue,
  StringValueSchema,
} from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { describe, expect, it } from "vitest";
import { meshOf } from "../support/mesh.ts";
import { listening } from "../support/servers.ts";

/** `service Greeter { rpc Greet(StringValue) returns (StringValue); rpc Count(StringValue) returns (stream StringValue); }` */
function greeter(): DescService {
  const value = ".google.protobuf.StringValue";
  const file = create(FileDescriptorProtoSchema, {
    name: "greeter.proto",
    package: "test",
    syntax: "proto3",
    dependency: ["google/protobuf/wrappers.proto"],
    service: [
      {
        name: "Greeter",
        method: [
          { name: "Greet", inputType: value, outputType: value },
          { name: "Count", inputType: value, outputType: value, serverStreaming: true },
        ],
      },
    ],
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, file] }));
  return registry.getService("test.Greeter") as DescService;
}

interface Greeter {
  greet(value: StringValue, options?: object): Promise<StringValue>;
  count(value: StringValue): AsyncIterable<StringValue>;
}

describe.each([
  ["Connect", createConnectTransport],
  ["gRPC-Web", createGrpcWebTransport],
])("%s over mesh.fetch", (_name, transportOf) => {
  it("calls, and reads a stream", async () => {
    const service = greeter();
    const implementation = {
      greet: ({ value }: StringValue) => ({ value: `hello ${value}` }),
      async *count({ value }: StringValue) {
        for (let number = 1; number <= 3; number++) yield { value: `${value} ${number}` };
      },
    };
    const server = createServer(connectNodeAdapter({ routes: (router) => router.service(service, implementation as never) }));
    const mesh = meshOf({ greeter: await listening(server) });
    const client = createClient(service, transportOf({ baseUrl: "http://greeter", fetch: mesh.fetch })) as unknown as Greeter;
    expect((await client.greet(create(StringValueSchema, { value: "Ada" }))).value).toBe("hello Ada");
    const counted: string[] = [];
    for await (const { value } of client.count(create(StringValueSchema, { value: "number" }))) counted.push(value);
    expect(counted).toEqual(["number 1", "number 2", "number 3"]);
    await expect(client.greet(create(StringValueSchema), { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
