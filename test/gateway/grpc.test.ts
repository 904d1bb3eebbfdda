import { createServer, type ServerHttp2Stream } from "node:http2";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { gatewayTo, http2Client, http2Request } from "../support/gateway.ts";
import { listening } from "../support/servers.ts";

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const parsed = (from: Buffer): unknown => JSON.parse(from.toString());

function method(name: string, requestStream: boolean, responseStream: boolean): grpc.MethodDefinition<unknown, unknown> {
  const codec = { requestSerialize: bytes, requestDeserialize: parsed, responseSerialize: bytes, responseDeserialize: parsed };
  return { path: `/test.Echo/${name}`, requestStream, responseStream, ...codec };
}

const definition = {
  one: method("one", false, false),
  none: method("none", false, false),
  both: method("both", true, true),
  many: method("many", false, true),
  count: method("count", true, false),
};

const cancelled: string[] = [];

const implementation: grpc.UntypedServiceImplementation = {
  one: ((call, done) => {
    const trailers = new grpc.Metadata();
    trailers.set("after", "1");
    done(null, { got: call.request, met: call.metadata.get("x-met") }, trailers);
  }) satisfies grpc.handleUnaryCall<unknown, unknown>,
  none: ((_call, done) => done({ code: grpc.status.NOT_FOUND, details: "no: 100 %ö" })) satisfies grpc.handleUnaryCall<unknown, unknown>,
  both: ((call) => {
    call.on("data", (data) => call.write({ echo: data }));
    call.on("end", () => call.end());
    call.on("cancelled", () => cancelled.push("both"));
  }) satisfies grpc.handleBidiStreamingCall<unknown, unknown>,
  many: ((call) => {
    for (let index = 0; index < 3; index++) call.write(index);
    call.emit("error", { code: grpc.status.DATA_LOSS, details: "after three" });
  }) satisfies grpc.handleServerStreamingCall<unknown, unknown>,
  count: ((call, done) => {
    let count = 0;
    call.on("data", () => count++);
    call.on("end", () => done(null, count));
  }) satisfies grpc.handleClientStreamingCall<unknown, unknown>,
};

type Call = (...given: unknown[]) => grpc.ClientDuplexStream<unknown, unknown>;

/** A client of a server of gRPC with a gateway between them. */
async function client(): Promise<Record<keyof typeof definition, Call>> {
  const server = new grpc.Server();
  server.addService(definition, implementation);
  const instance = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port))),
  );
  onTestFinished(() => server.forceShutdown());
  const { http2Port } = await gatewayTo(instance, {}, { services: { web: { protocol: "h2" } } });
  const made = new (grpc.makeGenericClientConstructor(definition, "Echo"))(`127.0.0.1:${http2Port}`, grpc.credentials.createInsecure());
  onTestFinished(() => made.close());
  return made as unknown as Record<keyof typeof definition, Call>;
}

type Status = readonly [code: number | undefined, details: string | undefined, result: unknown];

/** The status and the result of a call with one answer. */
function ended(start: (done: (error: grpc.ServiceError | null, result: unknown) => void) => unknown): Promise<Status> {
  return new Promise((resolve) => start((error, result) => resolve([error?.code, error?.details, result])));
}

describe("gRPC through a gateway", () => {
  test("has its answer, its metadata and its trailers", async () => {
    const metadata = new grpc.Metadata();
    metadata.set("x-met", "yes");
    const made = await client();
    const status = Promise.withResolvers<grpc.StatusObject>();
    const [code, , result] = await ended((done) => made.one({ a: 1 }, metadata, done).on("status", status.resolve));
    expect([code, result]).toEqual([undefined, { got: { a: 1 }, met: ["yes"] }]);
    expect((await status.promise).metadata.get("after")).toEqual(["1"]);
  });

  test("has the status of a call that fails without an answer", async () => {
    const made = await client();
    expect(await ended((done) => made.none({}, done))).toEqual([grpc.status.NOT_FOUND, "no: 100 %ö", undefined]);
  });

  test("streams both ways at once", async () => {
    const made = await client();
    const got: unknown[] = [];
    const stream = made.both();
    stream.write(0);
    stream.on("data", (data) => {
      got.push(data);
      if (got.length < 3) stream.write(got.length);
      else stream.end();
    });
    await new Promise((resolve) => stream.on("end", resolve));
    expect(got).toEqual([{ echo: 0 }, { echo: 1 }, { echo: 2 }]);
  });

  test("streams answers, and has the status that ends them", async () => {
    const made = await client();
    const got: unknown[] = [];
    const stream = made.many({});
    stream.on("data", (data) => got.push(data));
    const error = await new Promise<grpc.ServiceError>((resolve) => stream.on("error", resolve));
    expect([got, error.code, error.details]).toEqual([[0, 1, 2], grpc.status.DATA_LOSS, "after three"]);
  });

  test("streams requests", async () => {
    const made = await client();
    const counted = ended((done) => {
      const stream = made.count(done);
      for (let index = 0; index < 5; index++) stream.write(index);
      stream.end();
    });
    expect(await counted).toEqual([undefined, undefined, 5]);
  });

  test("is cancelled at the instance by its client", async () => {
    const made = await client();
    const stream = made.both();
    stream.on("error", () => {});
    stream.write(0);
    await new Promise((resolve) => stream.once("data", resolve));
    stream.cancel();
    await expect.poll(() => cancelled).toEqual(["both"]);
  });
});

function serveHttp2(answer: (stream: ServerHttp2Stream) => void): Promise<number> {
  return listening(createServer().on("stream", answer));
}

describe("a response over HTTP/2 that has no body", () => {
  test("ends with its head", async () => {
    const instance = await serveHttp2((stream) => stream.respond({ ":status": 200, "x-a": "b" }, { endStream: true }));
    const { http2Port } = await gatewayTo(instance, {}, { services: { web: { protocol: "h2" } } });
    const stream = http2Client(http2Port).request({ ":path": "/" });
    const flags = await new Promise<number>((resolve) => stream.on("response", (_headers, given) => resolve(given)));
    expect(flags & 1).toBe(1);
  });

  test("ends with its head where that has a status of gRPC, also if the instance ends it later", async () => {
    const instance = await serveHttp2((stream) => {
      stream.respond({ ":status": 200, "grpc-status": "5" });
      setTimeout(() => stream.end(), 50);
    });
    const { http2Port } = await gatewayTo(instance, {}, { services: { web: { protocol: "h2" } } });
    const stream = http2Client(http2Port).request({ ":path": "/" });
    const flags = await new Promise<number>((resolve) => stream.on("response", (_headers, given) => resolve(given)));
    expect(flags & 1).toBe(1);
  });

  test("may have a body after all where its head has a status of gRPC", async () => {
    const instance = await serveHttp2((stream) => {
      stream.respond({ ":status": 200, "grpc-status": "0" });
      stream.write("one");
      stream.end("two");
    });
    const { http2Port } = await gatewayTo(instance, {}, { services: { web: { protocol: "h2" } } });
    const { body, headers } = await http2Request(http2Client(http2Port), { ":path": "/" });
    expect([body, headers["grpc-status"]]).toEqual(["onetwo", "0"]);
  });
});
