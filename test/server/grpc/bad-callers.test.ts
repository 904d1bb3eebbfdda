import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { gzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import type { TokenVerifier } from "../../../src/authentication/token-verifier.ts";
import { type ServeOptions, serve } from "../../../src/server/server.ts";
import { boundServer, get, type OrdersHandlers, ordersClient } from "../../support/shop-service.ts";

const { status } = grpc;
const echo: OrdersHandlers = { Get: ({ request }, done) => done(null, { id: request.id }) };

async function served(handlers: OrdersHandlers = echo, options: ServeOptions = {}, bound: grpc.ServerOptions = {}) {
  const { server, port } = await boundServer(handlers, bound);
  const serving = serve(server, { signals: [], log: false, lameDuckMs: 0, graceMs: 500, inbound: {}, ...options });
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  return { port, serving };
}

function session(port: number): ClientHttp2Session {
  const opened = connect(`http://127.0.0.1:${port}`);
  opened.on("error", () => {});
  onTestFinished(() => opened.destroy());
  return opened;
}

const head = { ":method": "POST", ":path": "/shop.v1.Orders/Get", "content-type": "application/grpc", te: "trailers" } as const;

/** The head and the trailers of the answer to some bytes. */
function send(port: number, bytes: Buffer, headers: Record<string, string> = {}): Promise<IncomingHttpHeaders> {
  return new Promise((resolve) => {
    const stream = session(port).request({ ...head, ...headers });
    let fields: IncomingHttpHeaders = {};
    stream.once("response", (received) => (fields = { ...fields, ...received }));
    stream.once("trailers", (received) => (fields = { ...fields, ...received }));
    stream.on("error", () => {});
    stream.resume().once("close", () => resolve(fields));
    stream.end(bytes);
  });
}

function frame(message: Buffer, isCompressed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = isCompressed ? 1 : 0;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Whether the server goes on as before. */
async function expectServing(port: number): Promise<void> {
  expect((await get(ordersClient(port), { id: "after" })).answer?.id).toBe("after");
}

describe("a bad caller of a served server of grpc-js", () => {
  test.each([
    ["bytes that are no message of the method", frame(Buffer.from([0x0f])), {}, status.INTERNAL],
    ["a message over the limit", frame(Buffer.alloc(5_000)), {}, status.RESOURCE_EXHAUSTED],
    [
      "a small message that decompresses beyond it",
      frame(gzipSync(Buffer.alloc(50_000_000)), true),
      { "grpc-encoding": "gzip" },
      status.RESOURCE_EXHAUSTED,
    ],
    ["an encoding that nothing knows", frame(Buffer.from([1]), true), { "grpc-encoding": "br" }, status.UNIMPLEMENTED],
    ["a method that does not exist", frame(Buffer.alloc(0)), { ":path": "/shop.v1.Orders/Gone" }, status.UNIMPLEMENTED],
    ["a timeout that is none", frame(Buffer.alloc(0)), { "grpc-timeout": "soon" }, status.INTERNAL],
  ])("that sends %s gets the status of gRPC for it", async (_name, bytes, headers, code) => {
    // The bomb is smaller than the limit, and the rest of it is not.
    const { port } = await served(echo, {}, { "grpc.max_receive_message_length": bytes.length > 40_000 ? 100_000 : 4_000 });
    expect((await send(port, bytes, headers))["grpc-status"]).toBe(String(code));
    await expectServing(port);
  });

  test("gets 415 for a content type that is none of gRPC, by rules as any request", async () => {
    const { port } = await served();
    expect((await send(port, Buffer.from("{}"), { "content-type": "application/json" }))[":status"]).toBe(415);
    const policy = { rules: [] };
    const { port: guarded } = await served(echo, { inbound: { authorization: { policy } } });
    const refused = await send(guarded, Buffer.from("{}"), { "content-type": "application/json" });
    expect([refused[":status"], refused["grpc-status"]]).toEqual([403, undefined]);
  });

  test("cannot claim an address, an identity or the mark of a refusal by metadata", async () => {
    const claims = {
      "x-forwarded-for": "1.2.3.4",
      "x-mesh-identity": "spiffe://a/b",
      "x-mesh-refused": "1",
      "x-forwarded-client-cert": "By=x",
    };
    const seen: string[][] = [];
    const { port } = await served(
      {
        Get: ({ metadata }, done) => {
          seen.push(Object.keys(metadata.getMap()));
          done(null, {});
        },
      },
      { inbound: { trust: { peers: [] } } },
    );
    await get(ordersClient(port), { metadata: { ...claims, "x-tenant": "7" } });
    expect(seen[0]).toContain("x-tenant");
    for (const name of Object.keys(claims)) expect(seen[0]).not.toContain(name);
  });

  test("that resets its stream while its token is verified ends nothing but its call", async () => {
    const verifying = Promise.withResolvers<never>();
    let handled = 0;
    const provider: TokenVerifier = {
      name: "slow",
      place: { kind: "bearer" },
      isRequired: false,
      isFor: () => true,
      verify: () => verifying.promise,
    };
    const { port, serving } = await served(
      { Get: (_call, done) => done(null, { id: String(++handled) }) },
      { inbound: { authentication: [provider] } },
    );
    const stream = session(port).request({ ...head, authorization: "Bearer x" });
    stream.on("error", () => {});
    stream.write(frame(Buffer.alloc(0)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    await new Promise((resolve) => stream.once("close", resolve));
    verifying.reject(new Error("late"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(handled).toBe(0);
    expect((await get(ordersClient(port))).answer?.id).toBe("1");
    expect((await serving.stop()).cutOff).toBe(0);
  });

  test("without a token that is needed gets UNAUTHENTICATED, and is let pass with one", async () => {
    const provider: TokenVerifier = {
      name: "needed",
      place: { kind: "bearer" },
      isRequired: true,
      isFor: () => true,
      verify: async (token) => {
        if (token !== "good") throw new Error("it does not hold");
        return { provider: "needed", issuer: "test", subject: "alice", claims: {} };
      },
    };
    const { port } = await served(echo, { inbound: { authentication: [provider] } });
    const client = ordersClient(port);
    expect((await get(client)).error).toMatchObject({ code: status.UNAUTHENTICATED, details: "a token is needed" });
    expect((await get(client, { metadata: { authorization: "Bearer good" } })).answer).toBeDefined();
  });

  test("that never reads, or is gone in the middle of a stream, holds up no stop", async () => {
    let written = 0;
    let cancelled = 0;
    const { port, serving } = await served({
      List: (call) => {
        const write = (): void => {
          while (!call.destroyed && call.write({ id: "x".repeat(10_000) })) written++;
        };
        call.on("drain", write);
        call.on("cancelled", () => cancelled++);
        write();
      },
    });
    const slow = session(port).request({ ...head, ":path": "/shop.v1.Orders/List" });
    slow.end(frame(Buffer.alloc(0)));
    slow.on("error", () => {});
    const gone = session(port);
    const cut = gone.request({ ...head, ":path": "/shop.v1.Orders/List" });
    cut.on("error", () => {});
    cut.end(frame(Buffer.alloc(0)));
    await expect.poll(() => written).toBeGreaterThan(4);
    gone.destroy();
    await expect.poll(() => cancelled).toBe(1);
    const { cutOff, drainMs } = await serving.stop();
    expect(cutOff).toBe(1);
    expect(drainMs).toBeLessThan(3_000);
    expect(cancelled).toBe(2);
  });

  test("that goes on to send after it was refused is told to stop, and holds up nothing", async () => {
    const policy = { rules: [] };
    const { port, serving } = await served({}, { inbound: { authorization: { policy } } });
    const call = ordersClient(port).Chat();
    call.on("error", () => {});
    call.write({ id: "1" });
    const ended = await new Promise<grpc.StatusObject>((resolve) => call.once("status", resolve));
    expect(ended.code).toBe(status.PERMISSION_DENIED);
    const stream = session(port).request({ ...head, ":path": "/shop.v1.Orders/Chat" });
    stream.on("error", () => {});
    stream.resume();
    stream.write(frame(Buffer.alloc(10)));
    await new Promise((resolve) => stream.once("close", resolve));
    expect((await serving.stop()).cutOff).toBe(0);
  });
});
