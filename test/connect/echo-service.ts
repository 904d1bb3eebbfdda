import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_wrappers,
  MethodOptions_IdempotencyLevel,
  type StringValue,
  StringValueSchema,
} from "@bufbuild/protobuf/wkt";
import { type CallOptions, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import { rejectionOf } from "../support/rejection.ts";

/**
 * `service Echo { rpc Say(StringValue) returns (StringValue); rpc Look(…) no side effects; rpc Count(…) returns (stream …);
 * rpc Sum(stream …) returns (…); rpc Chat(stream …) returns (stream …); rpc Missing(…) }`
 */
export function echoService(): DescService {
  const value = ".google.protobuf.StringValue";
  const one = { inputType: value, outputType: value };
  const file = create(FileDescriptorProtoSchema, {
    name: "echo.proto",
    package: "test.v1",
    syntax: "proto3",
    dependency: ["google/protobuf/wrappers.proto"],
    service: [
      {
        name: "Echo",
        method: [
          { name: "Say", ...one },
          { name: "Look", ...one, options: { idempotencyLevel: MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS } },
          { name: "Count", ...one, serverStreaming: true },
          { name: "Sum", ...one, clientStreaming: true },
          { name: "Chat", ...one, clientStreaming: true, serverStreaming: true },
          { name: "Missing", ...one },
        ],
      },
    ],
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, file] }));
  return registry.getService("test.v1.Echo") as DescService;
}

export interface EchoClient {
  say(value: StringValue, options?: CallOptions): Promise<StringValue>;
  look(value: StringValue, options?: CallOptions): Promise<StringValue>;
  missing(value: StringValue, options?: CallOptions): Promise<StringValue>;
  count(value: StringValue, options?: CallOptions): AsyncIterable<StringValue>;
  sum(values: AsyncIterable<StringValue>, options?: CallOptions): Promise<StringValue>;
  chat(values: AsyncIterable<StringValue>, options?: CallOptions): AsyncIterable<StringValue>;
}

export const text = (value: string): StringValue => create(StringValueSchema, { value });

export async function* texts(...values: string[]): AsyncGenerator<StringValue> {
  for (const value of values) yield text(value);
}

export async function valuesOf(stream: AsyncIterable<StringValue>): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of stream) values.push(value);
  return values;
}

/** The error of a call that fails. */
export async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  const thrown = await rejectionOf(call);
  expect(thrown).toBeInstanceOf(ConnectError);
  return thrown as ConnectError;
}
