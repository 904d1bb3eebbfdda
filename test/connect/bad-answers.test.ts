// Answers that are none, and ends of calls in their middle: the right status, and a message that names service, instance and reason.
import { constants, createServer, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { gzipSync } from "node:zlib";
import { toBinary } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { meshTransport, type TransportProtocol } from "../../src/connect/connect.ts";
import { isMeshError, type MeshOptions } from "../../src/index.ts";
import { writeFrame } from "../../src/rpc/frames.ts";
import { meshOf } from "../support/mesh.ts";
import { listening } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { type EchoClient, echoService, failureOf, text, valuesOf } from "./echo-service.ts";

const service = echoService();
const grpcHead = { ":status": 200, "content-type": "application/grpc+proto" };
const message = writeFrame(0, toBinary(StringValueSchema, text("hello")));

type Answer = (stream: ServerHttp2Stream) => void;
const answers =
  (head: OutgoingHttpHeaders, content: string | Uint8Array = "", trailers?: OutgoingHttpHeaders): Answer =>
  (stream) => {
    stream.respond(head, { waitForTrailers: trailers !== undefined });
    if (trailers !== undefined) stream.once("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(content);
  };
const resets =
  (code: number, content?: Uint8Array): Answer =>
  (stream) => {
    if (content === undefined) return void stream.close(code);
    stream.respond(grpcHead);
    stream.write(content);
    // `close` would end the content first, which looks like the whole of it.
    setTimeout(() => stream.destroy(new Error(`reset with ${code}`)), 30);
  };

async function rawServer(answer: Answer) {
  const streams: ServerHttp2Stream[] = [];
  const server = createServer();
  server.on("stream", (stream) => {
    streams.push(stream);
    stream.on("error", () => {});
    stream.resume();
    answer(stream);
  });
  return { port: await listening(server), streams };
}

async function clientTo(answer: Answer, protocol: TransportProtocol = "grpc", options: Partial<MeshOptions> = {}) {
  const { port, streams } = await rawServer(answer);
  const mesh = meshOf({ echo: port }, { protocol: "h2", breaker: false, ...options });
  const client = createClient(service, meshTransport(mesh, "echo", { protocol, readMaxBytes: 100_000 })) as unknown as EchoClient;
  return { client, mesh, port, streams };
}

const bomb = writeFrame(1, gzipSync(Buffer.alloc(50_000_000)));
const rows: [string, Answer, Code, string][] = [
  ["a page", answers({ ":status": 200, "content-type": "text/html" }, "<p>hi"), Code.Unknown, "it may be no server of this protocol"],
  ["a page of a proxy that is busy", answers({ ":status": 503, "content-type": "text/html" }, "<p>busy"), Code.Unavailable, "HTTP 503"],
  ["an answer of HTTP without a type", answers({ ":status": 404 }), Code.Unimplemented, "it answered with HTTP 404"],
  ["a message and no trailers", answers(grpcHead, message), Code.Internal, "its trailers are missing"],
  ["a status that is none", answers(grpcHead, message, { "grpc-status": "fine" }), Code.Unknown, ""],
  ["OK without a message", answers(grpcHead, "", { "grpc-status": "0" }), Code.Unimplemented, "no message"],
  [
    "OK with two messages",
    answers(grpcHead, Buffer.concat([message, message]), { "grpc-status": "0" }),
    Code.Unimplemented,
    "more than one",
  ],
  ["half a message", answers(grpcHead, message.subarray(0, 7), { "grpc-status": "0" }), Code.Internal, "ends inside of a message"],
  [
    "a message of another type",
    answers(grpcHead, writeFrame(0, Buffer.from([255, 255])), { "grpc-status": "0" }),
    Code.Internal,
    "is no google.protobuf.StringValue",
  ],
  ["a message that says it has 4 GB", answers(grpcHead, Buffer.from([0, 255, 255, 255, 255, 1])), Code.ResourceExhausted, "the limit of"],
  [
    "a bomb",
    answers({ ...grpcHead, "grpc-encoding": "gzip" }, bomb, { "grpc-status": "0" }),
    Code.ResourceExhausted,
    "decodes to more than",
  ],
  [
    "a coding that was not asked for",
    answers({ ...grpcHead, "grpc-encoding": "lzma" }, writeFrame(1, message), { "grpc-status": "0" }),
    Code.Internal,
    "coding lzma",
  ],
  [
    "a compressed message without a coding",
    answers(grpcHead, writeFrame(1, message), { "grpc-status": "0" }),
    Code.Internal,
    "no coding was named",
  ],
  [
    "noise that is compressed",
    answers({ ...grpcHead, "grpc-encoding": "gzip" }, writeFrame(1, message), { "grpc-status": "0" }),
    Code.Internal,
    "does not decode as gzip",
  ],
  ["RST_STREAM with CANCEL", resets(constants.NGHTTP2_CANCEL), Code.Canceled, "NGHTTP2_CANCEL"],
  [
    "RST_STREAM in the middle of a message",
    resets(constants.NGHTTP2_INTERNAL_ERROR, message.subarray(0, 7)),
    Code.Internal,
    "NGHTTP2_INTERNAL_ERROR",
  ],
  ["RST_STREAM with ENHANCE_YOUR_CALM", resets(constants.NGHTTP2_ENHANCE_YOUR_CALM), Code.ResourceExhausted, "ENHANCE_YOUR_CALM"],
];

describe("by gRPC, the answer is", () => {
  it.each(rows)("%s", async (_name, answer, code, reason) => {
    const { client, port } = await clientTo(answer, "grpc", { retry: false });
    // A stream may have any number of messages.
    const isOfNumber = code === Code.Unimplemented && !reason.includes("HTTP");
    for (const call of [() => client.say(text("x")), ...(isOfNumber ? [] : [() => valuesOf(client.count(text("x")))])]) {
      const error = await failureOf(call());
      expect([Code[error.code], error.message]).toEqual([Code[code], expect.stringContaining(reason)]);
      if (reason === "") continue;
      expect(error.message).toContain(`127.0.0.1:${port}`);
      expect(error.message).toContain("echo");
      expect(isMeshError(error.cause)).toBe(true);
    }
  });
});

const connectHead = { ":status": 200, "content-type": "application/connect+proto" };
const end = (value: string) => writeFrame(2, Buffer.from(value));

describe("by Connect, the answer is", () => {
  it.each<[string, Answer, Code, string]>([
    ["a stream without its end", answers(connectHead, message), Code.Internal, "ended without a status"],
    ["an end that is no JSON", answers(connectHead, end("{")), Code.Internal, "is not JSON"],
    ["messages behind the end", answers(connectHead, Buffer.concat([end("{}"), message])), Code.Internal, "goes on behind its end"],
    ["an error with a code that is none", answers(connectHead, end('{"error":{"code":"nope","message":"x"}}')), Code.Unknown, "x"],
    ["a page", answers({ ":status": 200, "content-type": "text/html" }, "<p>"), Code.Unknown, "text/html"],
  ])("%s", async (_name, answer, code, reason) => {
    const { client } = await clientTo(answer, "connect", { retry: false });
    const error = await failureOf(valuesOf(client.count(text("x"))));
    expect([Code[error.code], error.message]).toEqual([Code[code], expect.stringContaining(reason)]);
  });

  it("an error of JSON in a call of one message, which is sent again where the method may be", async () => {
    const body = '{"code":"unavailable","message":"later"}';
    const { client, streams } = await clientTo(answers({ ":status": 503, "content-type": "application/json" }, body), "connect");
    const error = await failureOf(client.look(text("x")));
    expect([error.code, error.rawMessage]).toEqual([Code.Unavailable, "later"]);
    expect(streams).toHaveLength(3);
  });
});

it("a call of one message is sent again where the error stands behind an empty body", async () => {
  let calls = 0;
  const { client, streams } = await clientTo((stream) => {
    calls++;
    if (calls === 1) answers(grpcHead, "", { "grpc-status": "14" })(stream);
    else answers(grpcHead, message, { "grpc-status": "0" })(stream);
  });
  expect((await client.look(text("x"))).value).toBe("hello");
  expect(streams).toHaveLength(2);
});

it("a stream that was refused is sent again, whatever its method", async () => {
  let calls = 0;
  const { client, streams } = await clientTo((stream) => {
    calls++;
    if (calls === 1) resets(constants.NGHTTP2_REFUSED_STREAM)(stream);
    else answers(grpcHead, message, { "grpc-status": "0" })(stream);
  });
  expect((await client.say(text("x"))).value).toBe("hello");
  expect(streams).toHaveLength(2);
});

it("a mesh that closes ends its streams with UNAVAILABLE", async () => {
  const { client, mesh } = await clientTo((stream) => {
    stream.respond(grpcHead);
    stream.write(message);
  });
  const read: string[] = [];
  const reading = failureOf(
    (async () => {
      for await (const { value } of client.count(text("x"))) read.push(value);
    })(),
  );
  await until("a message has come", () => read.length === 1);
  await mesh.close();
  const error = await reading;
  expect([error.code, error.message]).toEqual([Code.Unavailable, expect.stringContaining("echo")]);
});

it("the sender of a stream is held up while its reader does not read", async () => {
  let written = 0;
  const chunk = writeFrame(0, toBinary(StringValueSchema, text("x".repeat(60_000))));
  const { client } = await clientTo((stream) => {
    stream.respond(grpcHead);
    const write = (): void => {
      while (written < 1_000 && stream.write(chunk)) written++;
      stream.once("drain", write);
    };
    write();
  });
  const iterator = client.count(text("x"))[Symbol.asyncIterator]();
  await iterator.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(written).toBeLessThan(60);
  await iterator.return?.();
});

it("the messages of a caller are asked for at the pace of the instance, and its source is ended with the call", async () => {
  const { client, streams } = await clientTo((stream) => void stream.pause());
  let given = 0;
  let isEnded = false;
  async function* source() {
    try {
      for (;;) {
        given++;
        yield text("x".repeat(50_000));
      }
    } finally {
      isEnded = true;
    }
  }
  const controller = new AbortController();
  const call = failureOf(client.sum(source(), { signal: controller.signal }));
  await until("the call is there", () => streams.length === 1 && given > 1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(given).toBeLessThan(60);
  controller.abort();
  expect((await call).code).toBe(Code.Canceled);
  await until("the source has ended", () => isEnded);
});
