// Wrong input of programs, and instances that answer with something else: the right status, with a message that names service, instance and reason.
import { gzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { callOptions, clientOptions, meshClient } from "../../src/grpc/grpc.ts";
import { meshOf } from "../support/mesh.ts";
import { clientOf } from "./clients.ts";
import { errorOf, Greeter, greet, messagesOf, startGreeter } from "./greeter.ts";
import { answerWith, frame, head, startPeer } from "./peer.ts";

const insecure = grpc.credentials.createInsecure();
const { status } = grpc;

describe("what a program gives", () => {
  it.each([
    ["dns:///greeter", /inmesh:\/\/\/ and the name of a service/],
    ["inmesh:///", /names no service/],
    ["inmesh:///greeter/more", /not "inmesh:\/\/\/greeter\/more"/],
    ["inmesh:///10.0.0.1", /an IP address is not a service name/],
    ["greeter:80", /and the name of a service/],
  ])("refuses the target %s where the client is made", (target, message) => {
    const options = clientOptions(meshOf({}));
    expect(() => new Greeter(target, insecure, options)).toThrow(message);
  });

  it("refuses credentials that the mesh would not obey, and options in whose place it has its own", () => {
    const mesh = meshOf({});
    expect(() => new Greeter("inmesh:///greeter", grpc.credentials.createSsl(), clientOptions(mesh))).toThrow(
      /needs credentials.createInsecure\(\)/,
    );
    expect(() => clientOf(mesh, { "grpc.service_config": "{}" })).toThrow(/no option "grpc.service_config"; in its place a mesh has/);
    expect(() => clientOf(mesh, { "grpc.max_receive_message_length": -2 })).toThrow(/grpc.max_receive_message_length must be/);
    expect(() => clientOptions(mesh, { requireTLS: true } as never)).toThrow(/no option "requireTLS"/);
    expect(() => clientOptions({})).toThrow(/must be a mesh that createMesh has made/);
    expect(() => meshClient(mesh, "Greeter" as never, "greeter")).toThrow(/must be the class of a client/);
    expect(() => callOptions({ idempotent: "yes" } as never)).toThrow(/callOptions\.idempotent/);
  });

  it.each([["grpc-timeout"], ["grpc-status"], ["host"], ["connection"]])(
    "refuses the reserved metadata %s, and sends nothing",
    async (name) => {
      const instance = await startGreeter();
      const client = clientOf(meshOf({ greeter: instance.port }));
      const metadata = new grpc.Metadata();
      metadata.set(name, "1");
      const error = await errorOf(greet(client, "x", {}, { metadata }));
      expect(error.code).toBe(status.INVALID_ARGUMENT);
      expect(error.details).toContain(`"greeter"`);
      expect(error.details).toContain(`"${name}" is reserved`);
      expect(instance.calls).toBe(0);
    },
  );

  it("hands metadata of every kind on, in both directions", async () => {
    const { port } = await startGreeter({
      greet(call, told) {
        const metadata = new grpc.Metadata();
        metadata.set(
          "saw",
          [...call.metadata.get("who"), ...call.metadata.get("raw-bin")].map((each) => each.toString("utf8" as never)).join("|"),
        );
        const trailers = new grpc.Metadata();
        trailers.set("end-bin", Buffer.from([0, 255]));
        call.sendMetadata(metadata);
        told(null, "done", trailers);
      },
    });
    const client = clientOf(meshOf({ greeter: port }));
    const metadata = new grpc.Metadata();
    metadata.set("who", "Ada");
    metadata.set("raw-bin", Buffer.from("bytes"));
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      const call = client.greet("x", metadata, {}, () => {});
      call.on("metadata", (given: grpc.Metadata) => seen.push(given.get("saw")));
      call.on("status", ({ metadata: trailers }: grpc.StatusObject) => {
        seen.push(trailers.get("end-bin"));
        resolve();
      });
    });
    expect(seen).toEqual([["Ada|bytes"], [Buffer.from([0, 255])]]);
  });

  it("refuses a message that is too large, in either direction, and the caller of an unknown method", async () => {
    const instance = await startGreeter();
    const mesh = meshOf({ greeter: instance.port });
    const small = clientOf(mesh, { "grpc.max_send_message_length": 10 });
    const sent = await errorOf(greet(small, "x".repeat(11)));
    expect(sent).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('11 bytes to "greeter"') });
    expect(instance.calls).toBe(0);
    const strict = clientOf(mesh, { "grpc.max_receive_message_length": 10 });
    const received = await errorOf(greet(strict, "Ada Lovelace"));
    expect(received.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(received.details).toContain(`127.0.0.1:${instance.port} of "greeter"`);
    const unknown = await errorOf(
      new Promise((resolve, reject) =>
        small.makeUnaryRequest(
          "/test.Greeter/Nothing",
          () => Buffer.alloc(0),
          (bytes: Buffer) => bytes,
          {},
          (error, answer) => (error === null ? resolve(answer) : reject(error)),
        ),
      ),
    );
    expect(unknown.code).toBe(status.UNIMPLEMENTED);
  });

  it("refuses a path that is none", async () => {
    const client = clientOf(meshOf({ greeter: 9 }));
    const call = (path: string) =>
      new Promise((resolve, reject) =>
        client.makeUnaryRequest(
          path,
          () => Buffer.alloc(0),
          String,
          {},
          (error, answer) => (error === null ? resolve(answer) : reject(error)),
        ),
      );
    for (const path of ["test.Greeter/Greet", "/a b/c", "/../x"]) expect((await errorOf(call(path))).code).toBe(status.INVALID_ARGUMENT);
  });
});

describe("what an instance answers", () => {
  it.each([
    ["a page", { ":status": 200, "content-type": "text/html" }, status.UNKNOWN, "which is no answer of gRPC"],
    ["a page of a proxy", { ":status": 503, "content-type": "text/html" }, status.UNAVAILABLE, "HTTP 503"],
    ["nothing found", { ":status": 404 }, status.UNIMPLEMENTED, "no content type"],
  ])("says so of %s", async (_name, answered, code, reason) => {
    const { port } = await startPeer((stream) => {
      stream.respond(answered);
      stream.end("<html>hello</html>");
    });
    const error = await errorOf(greet(clientOf(meshOf({ greeter: port })), "x"));
    expect(error.code).toBe(code);
    expect(error.details).toContain(`127.0.0.1:${port}`);
    expect(error.details).toContain('"greeter"');
    expect(error.details).toContain(reason);
  });

  it.each([
    ["no trailers", frame("x"), undefined, status.UNKNOWN, "without a `grpc-status`"],
    ["half a message", frame("hello").subarray(0, 7), { "grpc-status": "0" }, status.INTERNAL, "ends inside of a message"],
    ["a message that is said to be compressed", frame("x", 1), { "grpc-status": "0" }, status.INTERNAL, "names no compression"],
    ["a flag that there is not", frame("x", 7), { "grpc-status": "0" }, status.INTERNAL, "no flag of compression"],
    ["no message", Buffer.alloc(0), { "grpc-status": "0" }, status.UNIMPLEMENTED, "No message received"],
    ["two messages", Buffer.concat([frame("x"), frame("y")]), { "grpc-status": "0" }, status.UNIMPLEMENTED, "Too many responses"],
    ["a status that is none", frame("x"), { "grpc-status": "99" }, status.UNKNOWN, ""],
  ])("refuses %s", async (_name, bytes, trailers, code, reason) => {
    const { port } = await startPeer((stream) => answerWith(stream, bytes, trailers));
    const error = await errorOf(greet(clientOf(meshOf({ greeter: port })), "x"));
    expect(error.code).toBe(code);
    expect(error.details).toContain(reason);
  });

  it("gives a bomb up when it has grown to the limit, and reads what is honest", async () => {
    let text = "x".repeat(1_000);
    const { port } = await startPeer((stream) => {
      stream.respond({ ...head, "grpc-encoding": "gzip" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      const packed = gzipSync(text);
      const prefix = Buffer.from([1, 0, 0, 0, 0]);
      prefix.writeUInt32BE(packed.byteLength, 1);
      stream.end(Buffer.concat([prefix, packed]));
    });
    const client = clientOf(meshOf({ greeter: port }), { "grpc.max_receive_message_length": 100_000 });
    expect(await greet(client, "x")).toBe(text);
    expect(await messagesOf(client.count("1"))).toEqual([text]);
    text = "x".repeat(50_000_000);
    const error = await errorOf(greet(client, "x"));
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.details).toContain("100000 bytes once it is decompressed");
  });

  it("compresses what it sends, where the client is made so", async () => {
    const { port } = await startGreeter();
    const client = clientOf(meshOf({ greeter: port }), { "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip });
    expect(await greet(client, "Ada".repeat(500))).toBe(`hello ${"Ada".repeat(500)}`);
    const talk = client.talk();
    for (const word of ["a", "b", "c"]) talk.write(word);
    talk.end();
    expect(await messagesOf(talk)).toEqual(["A", "B", "C"]);
  });
});
