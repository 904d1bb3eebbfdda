import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_wrappers,
  MethodOptions_IdempotencyLevel as Level,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { loadSync } from "@grpc/proto-loader";
import { expect, it } from "vitest";
import { idempotentPaths } from "../../src/grpc/idempotent-paths.ts";

const pathsIn = (given: object) => [...idempotentPaths("methods", given)].sort();

it("the methods of a definition of @grpc/proto-loader that may be executed twice are known", () => {
  const path = join(mkdtempSync(join(tmpdir(), "inmesh-proto-")), "shop.proto");
  const rpc = (name: string, level: string) => `rpc ${name}(Text) returns (Text) { option idempotency_level = ${level}; }`;
  const methods = [
    rpc("Read", "NO_SIDE_EFFECTS"),
    rpc("Put", "IDEMPOTENT"),
    rpc("Other", "IDEMPOTENCY_UNKNOWN"),
    "rpc Add(Text) returns (Text);",
  ];
  writeFileSync(path, `syntax = "proto3"; package shop; message Text { string value = 1; } service Carts { ${methods.join(" ")} }`);
  const definition = loadSync(path);
  expect(pathsIn(definition["shop.Carts"] as object)).toEqual(["/shop.Carts/Put", "/shop.Carts/Read"]);
  expect(pathsIn([definition["shop.Carts"] as object, {}])).toHaveLength(2);
});

it("and those of a descriptor of @bufbuild/protobuf", () => {
  const value = ".google.protobuf.StringValue";
  const rpc = (name: string, level: Level) => ({
    name,
    inputType: value,
    outputType: value,
    options: create(MethodOptionsSchema, { idempotencyLevel: level }),
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "shop.proto",
    package: "shop",
    syntax: "proto3",
    dependency: ["google/protobuf/wrappers.proto"],
    service: [
      {
        name: "Carts",
        method: [rpc("Read", Level.NO_SIDE_EFFECTS), rpc("Put", Level.IDEMPOTENT), rpc("Add", Level.IDEMPOTENCY_UNKNOWN)],
      },
    ],
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, file] }));
  expect(pathsIn(registry.getService("shop.Carts") as object)).toEqual(["/shop.Carts/Put", "/shop.Carts/Read"]);
});

it("what is no service is refused", () => {
  expect(() => idempotentPaths("methods", [5] as never)).toThrow(/methods must be the `service` of a client/);
  expect(() => idempotentPaths("methods", { Read: 1 })).toThrow(/methods must be a service whose methods have a `path`/);
});
