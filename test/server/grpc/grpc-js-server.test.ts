import * as grpc from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { createMesh, staticDiscovery } from "../../../src/index.ts";
import { incoming } from "../../../src/policies/incoming.ts";
import { callerOf, type ServeOptions, type Serving, serve } from "../../../src/server/server.ts";
import { prometheus } from "../../../src/telemetry/prometheus.ts";
import { boundServer, get, type OrdersHandlers, ordersClient } from "../../support/shop-service.ts";

const { status } = grpc;

async function served(
  handlers: OrdersHandlers,
  options: ServeOptions = {},
  bound: Parameters<typeof boundServer>[1] = {},
): Promise<{ serving: Serving; port: number; server: grpc.Server }> {
  const { server, port } = await boundServer(handlers, bound);
  const serving = serve(server, { signals: [], log: false, lameDuckMs: 0, inbound: {}, ...options });
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  return { serving, port, server };
}

const echo: OrdersHandlers = { Get: ({ request }, done) => done(null, { id: request.id, count: 1 }) };

describe("a server of grpc-js", () => {
  test("answers as before", async () => {
    const { port } = await served(echo);
    expect(await get(ordersClient(port), { id: "7" })).toMatchObject({ answer: { id: "7", count: 1 }, error: undefined });
  });

  test("is refused before it is bound, and where its version keeps its servers elsewhere", () => {
    expect(() => serve(new grpc.Server())).toThrow("serve: the gRPC server is not bound; call serve once bindAsync has called back");
    const unknown = { bindAsync: () => {}, tryShutdown: () => {}, forceShutdown: () => {} };
    expect(() => serve(unknown)).toThrow("serve: this version of @grpc/grpc-js is not known (~1.14 is)");
  });

  test("is served at each of its addresses", async () => {
    const policy = { rules: [] };
    const { server, port } = await boundServer(echo);
    const further = await new Promise<number>((resolve) =>
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_error, bound) => resolve(bound)),
    );
    const serving = serve(server, { signals: [], log: false, lameDuckMs: 0, inbound: { authorization: { policy } } });
    await serving.started;
    for (const each of [port, further]) expect((await get(ordersClient(each))).error?.code).toBe(status.PERMISSION_DENIED);
    expect((await serving.stop()).problems).toEqual([]);
    for (const each of [port, further]) expect((await get(ordersClient(each))).error?.code).toBe(status.UNAVAILABLE);
  });

  test("continues the caller's deadline in calls that a handler makes", async () => {
    const left: number[] = [];
    const { port } = await served({
      Get: async ({ request }, done) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        left.push(incoming()?.remainingMs() ?? Number.NaN);
        done(null, { id: request.id });
      },
    });
    const client = ordersClient(port);
    await get(client, { deadline: Date.now() + 5_000 });
    await get(client);
    await get(client, { deadline: Date.now() + 60_000, metadata: { "x-mesh-deadline-ms": "3000" } });
    expect(left[0]).toBeGreaterThan(3_000);
    expect(left[0]).toBeLessThan(5_000);
    expect(left[1]).toBeNaN();
    expect(left[2]).toBeLessThan(3_000);
  });

  test("continues it in streams, message by message", async () => {
    const left: number[] = [];
    const { port } = await served({
      Chat: (call) => {
        call.on("data", ({ id }: { id: string }) => {
          left.push(incoming()?.remainingMs() ?? Number.NaN);
          call.write({ id });
        });
        call.on("end", () => call.end());
      },
    });
    const call = ordersClient(port).Chat(new grpc.Metadata(), { deadline: Date.now() + 5_000 });
    for (const id of ["1", "2"]) {
      call.write({ id });
      await new Promise((resolve) => call.once("data", resolve));
    }
    call.end();
    await new Promise((resolve) => call.once("status", resolve));
    expect(left).toHaveLength(2);
    for (const each of left) expect(each).toBeGreaterThan(3_000);
  });

  test("refuses what the policy does not allow before a handler sees it, a method that does not exist included", async () => {
    let handled = 0;
    const policy = { rules: [{ id: "get", action: "allow", to: { paths: ["/shop.v1.Orders/Get"], methods: ["POST"] } }] } as const;
    const { port } = await served(
      {
        ...echo,
        Place: (_call, done) => {
          handled++;
          done(null, {});
        },
      },
      { inbound: { authorization: { policy } } },
    );
    const client = ordersClient(port);
    expect((await get(client)).answer).toBeDefined();
    const refused = await new Promise<grpc.ServiceError | null>((resolve) => client.Place({}, new grpc.Metadata(), {}, resolve));
    expect(refused).toMatchObject({ code: status.PERMISSION_DENIED, details: "forbidden" });
    const unknown = await new Promise<grpc.ServiceError | null>((resolve) =>
      client.makeUnaryRequest(
        "/shop.v1.Orders/Gone",
        () => Buffer.alloc(0),
        () => ({}),
        {},
        resolve,
      ),
    );
    expect(unknown).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(handled).toBe(0);
  });

  test("limits a caller with RESOURCE_EXHAUSTED, and itself with UNAVAILABLE and the mark that nothing was executed", async () => {
    const held: (() => void)[] = [];
    const { port } = await served(
      { Get: (_call, done) => void held.push(() => done(null, { id: "late" })) },
      { inbound: { concurrency: { maxInFlight: 1, maxQueued: 0 } } },
    );
    const client = ordersClient(port);
    const first = get(client);
    await expect.poll(() => held.length).toBe(1);
    const full = await get(client);
    expect(full.error).toMatchObject({ code: status.UNAVAILABLE });
    expect(full.error?.metadata.get("x-mesh-refused")).toEqual(["1"]);
    held[0]?.();
    expect((await first).answer?.id).toBe("late");

    const { port: limited } = await served(echo, { inbound: { rateLimit: { perSecond: 0.01, burst: 1 } } });
    const asking = ordersClient(limited);
    await get(asking);
    const { error } = await get(asking);
    expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(error?.metadata.get("x-mesh-refused")).toEqual([]);
    expect(Number(error?.metadata.get("grpc-retry-pushback-ms")[0])).toBeGreaterThan(1_000);
  });

  test("reports its load in the trailers, where a client of gRPC reads it", async () => {
    const { port } = await served(echo, { inbound: { load: { header: "always", metrics: () => ({ jobs: 3 }) } } });
    const { head, trailers } = await get(ordersClient(port));
    expect(head?.get("endpoint-load-metrics-bin")).toEqual([]);
    const [report] = trailers?.get("endpoint-load-metrics-bin") ?? [];
    expect(Buffer.isBuffer(report) && report.includes("jobs")).toBe(true);
  });

  test("tells a handler its caller", async () => {
    const callers: unknown[] = [];
    const { port } = await served({
      Get: async (_call, done) => {
        await Promise.resolve();
        callers.push(callerOf());
        done(null, {});
      },
    });
    await get(ordersClient(port), { metadata: { "x-forwarded-for": "1.2.3.4" } });
    expect(callers).toEqual([{ identity: undefined, address: "127.0.0.1", tokens: [] }]);
    expect(callerOf()).toBeUndefined();
  });
});

describe("what is told of calls", () => {
  test("is a line of the access log with the status of gRPC", async () => {
    const lines: string[] = [];
    const { port, serving } = await served(
      { ...echo, Place: (_call, done) => done({ code: status.NOT_FOUND, details: "no such order" }) },
      { inbound: { accessLog: { write: (text) => void lines.push(text) } } },
    );
    const client = ordersClient(port);
    await get(client);
    await new Promise((resolve) => client.Place({}, new grpc.Metadata(), {}, resolve));
    await new Promise((resolve) =>
      client.makeUnaryRequest(
        "/shop.v1.Orders/Gone",
        () => Buffer.alloc(0),
        () => ({}),
        {},
        resolve,
      ),
    );
    await serving.stop();
    const logged = lines
      .join("")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged.map(({ target, status: sent, grpcStatus, cutOff }) => [target, sent, grpcStatus, cutOff])).toEqual([
      ["/shop.v1.Orders/Get", 200, "OK", undefined],
      ["/shop.v1.Orders/Place", 200, "NOT_FOUND", undefined],
      ["/shop.v1.Orders/Gone", 200, "UNIMPLEMENTED", undefined],
    ]);
  });

  test("is a measurement of the mesh with the names of the semantic conventions", async () => {
    const observer = prometheus();
    const mesh = createMesh({ discovery: staticDiscovery({}), observers: [observer] });
    const { port } = await served(echo, { mesh });
    await get(ordersClient(port));
    expect(await observer.metrics()).toMatch(
      /rpc_server_call_duration_seconds_count\{(?=[^}]*rpc_method="shop.v1.Orders\/Get")(?=[^}]*rpc_response_status_code="OK")[^}]*\} 1/,
    );
  });
});

describe("stopping a server of grpc-js", () => {
  test("lets a call under way end, refuses new ones with the mark, and leaves nothing", async () => {
    const held: (() => void)[] = [];
    const { port, serving } = await served({ Get: (_call, done) => void held.push(() => done(null, { id: "late" })) });
    const client = ordersClient(port);
    const first = get(client);
    await expect.poll(() => held.length).toBe(1);
    const stopped = serving.stop();
    await expect.poll(() => serving.state).toBe("draining");
    setTimeout(() => held[0]?.(), 300);
    expect((await first).answer?.id).toBe("late");
    expect(await stopped).toMatchObject({ cutOff: 0, problems: [] });
    expect((await get(client)).error?.code).toBe(status.UNAVAILABLE);
  });

  test("cuts off streams after graceMs", async () => {
    const { port, serving } = await served({ Chat: () => {} }, { graceMs: 200 });
    const call = ordersClient(port).Chat();
    const ended = new Promise<grpc.StatusObject>((resolve) => call.once("status", resolve));
    call.on("error", () => {});
    call.write({ id: "1" });
    await expect.poll(() => serving.state).toBe("serving");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { cutOff, drainMs } = await serving.stop();
    expect(cutOff).toBe(1);
    expect(drainMs).toBeLessThan(2_000);
    expect((await ended).code).not.toBe(status.OK);
  });

  test("stops when the program shuts the gRPC server down", async () => {
    const { serving, server } = await served(echo);
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    await expect.poll(() => serving.state).toBe("stopped");
  });
});
