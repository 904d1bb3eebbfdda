// Routers of Connect on servers with the inbound middleware, called by inmesh/connect.
import { createServer as createHttp1 } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import type { StringValue } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import express from "express";
import { describe, expect, onTestFinished, test } from "vitest";
import { meshTransport, type TransportProtocol } from "../../../src/connect/connect.ts";
import type { Mesh } from "../../../src/index.ts";
import { incoming } from "../../../src/policies/incoming.ts";
import { inbound, type ServeOptions, serve } from "../../../src/server/server.ts";
import { type EchoClient, echoService, text, texts, valuesOf } from "../../connect/echo-service.ts";
import { meshOf } from "../../support/mesh.ts";
import { listening } from "../../support/servers.ts";

const service = echoService();
const left: number[] = [];
const calls: string[] = [];
let hold: Promise<void> | undefined;

const adapter = connectNodeAdapter({
  routes: (router) =>
    router.service(service, {
      say: async ({ value }: StringValue, context: HandlerContext) => {
        calls.push(`say ${context.protocolName}`);
        left.push(incoming()?.remainingMs() ?? Number.POSITIVE_INFINITY);
        await hold;
        if (value === "bad") throw new ConnectError("it is bad", Code.Unavailable);
        return { value };
      },
      async *count({ value }: StringValue) {
        for (let number = 1; number <= Number(value); number++) yield { value: String(number) };
        await hold;
      },
      async *chat(values: AsyncIterable<StringValue>) {
        for await (const { value } of values) yield { value };
      },
    } as never),
});

type Kind = "node:http2" | "node:http" | "Express";

async function served(kind: Kind, options: ServeOptions = {}, mesh?: Mesh) {
  calls.length = 0;
  left.length = 0;
  hold = undefined;
  const server =
    kind === "node:http2" ? createHttp2(adapter) : kind === "node:http" ? createHttp1(adapter) : createHttp1(express().use(adapter));
  const port = await listening(server as never);
  const serving = serve(server, { signals: [], log: false, lameDuckMs: 0, graceMs: 2_000, inbound: {}, ...options, ...(mesh && { mesh }) });
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  return { port, serving };
}

const clientTo = (port: number, kind: Kind, protocol: TransportProtocol, retries = false) => {
  const mesh = meshOf({ echo: port }, { protocol: kind === "node:http2" ? "h2" : "h1", breaker: false, ...(!retries && { retry: false }) });
  return { mesh, client: createClient(service, meshTransport(mesh, "echo", { protocol })) as unknown as EchoClient };
};
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: unknown) => Code[ConnectError.from(error).code],
  );

describe.each<[Kind, TransportProtocol]>([
  ["node:http2", "grpc"],
  ["node:http2", "grpc-web"],
  ["node:http2", "connect"],
  ["node:http", "grpc-web"],
  ["node:http", "connect"],
  ["Express", "connect"],
])("on %s, by %s,", (kind, protocol) => {
  test("a call continues the deadline of its caller", async () => {
    const { port } = await served(kind, {});
    const { client } = clientTo(port, kind, protocol);
    expect((await client.say(text("hi"), { timeoutMs: 3_000 })).value).toBe("hi");
    expect(await valuesOf(client.count(text("2")))).toEqual(["1", "2"]);
    expect(left[0]).toBeGreaterThan(0);
    expect(left[0]).toBeLessThanOrEqual(3_000);
  });

  test("the policy refuses with PERMISSION_DENIED before a handler sees the call", async () => {
    const { port } = await served(kind, { inbound: { authorization: { policy: { rules: [] } } } });
    const { client } = clientTo(port, kind, protocol);
    expect(await codeOf(client.say(text("x")))).toBe("PermissionDenied");
    expect(await codeOf(valuesOf(client.count(text("1"))))).toBe("PermissionDenied");
    expect(calls).toEqual([]);
  });

  test("the rate of a caller is RESOURCE_EXHAUSTED, a full server UNAVAILABLE with the mark that nothing was executed", async () => {
    const limited = await served(kind, { inbound: { rateLimit: { perSecond: 0.01, burst: 1 } } });
    const { client } = clientTo(limited.port, kind, protocol);
    expect(await codeOf(client.say(text("x")))).toBe("no error");
    expect(await codeOf(client.say(text("x")))).toBe("ResourceExhausted");
    const full = await served(kind, { inbound: { concurrency: { maxInFlight: 1, maxQueued: 0 } } });
    let open = (): void => {};
    hold = new Promise((resolve) => {
      open = resolve;
    });
    const first = clientTo(full.port, kind, protocol).client.say(text("held"));
    await expect.poll(() => calls.length).toBe(1);
    const retrying = clientTo(full.port, kind, protocol, true);
    const second = codeOf(retrying.client.say(text("x")));
    // Sent again although its method says nothing: the server has not executed it.
    await expect.poll(() => retrying.mesh.explain("echo")?.endpoints[0]?.attempts ?? 0).toBeGreaterThan(1);
    open();
    await first;
    expect(["no error", "Unavailable"]).toContain(await second);
  });

  test("a caller that waits no longer is refused with DEADLINE_EXCEEDED, or has gone", async () => {
    const { port } = await served(kind, {});
    const { client } = clientTo(port, kind, protocol);
    hold = new Promise(() => {});
    expect(await codeOf(client.say(text("x"), { timeoutMs: 60 }))).toBe("DeadlineExceeded");
  });
});

test("a stream that is under way ends before the server stops, and is cut off after graceMs", async () => {
  const { port, serving } = await served("node:http2", { graceMs: 400 });
  const { client } = clientTo(port, "node:http2", "grpc");
  let open = (): void => {};
  hold = new Promise((resolve) => {
    open = resolve;
  });
  const read: string[] = [];
  const reading = (async () => {
    for await (const { value } of client.count(text("2"))) read.push(value);
  })();
  await expect.poll(() => read.length).toBe(2);
  const stopped = serving.stop();
  open();
  await reading;
  expect((await stopped).cutOff).toBe(0);

  const second = await served("node:http2", { graceMs: 300 });
  hold = new Promise(() => {});
  const stuck = codeOf(valuesOf(clientTo(second.port, "node:http2", "grpc").client.count(text("1"))));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await second.serving.stop();
  expect(["Unavailable", "Canceled", "Internal"]).toContain(await stuck);
});

test("observers of a server see the method and the status of a call to a router", async () => {
  const ends: unknown[] = [];
  const mesh = meshOf(
    {},
    { observers: [{ onServe: ({ rpc }) => ({ onEnd: ({ status, rpcStatus }) => void ends.push([rpc?.method, status, rpcStatus]) }) }] },
  );
  const { port } = await served("node:http2", {}, mesh);
  const { client } = clientTo(port, "node:http2", "grpc");
  await client.say(text("x"));
  await codeOf(client.say(text("bad")));
  await valuesOf(client.chat(texts("a")));
  await expect.poll(() => ends.length).toBe(3);
  expect(ends).toEqual([
    ["Say", 200, 0],
    ["Say", 200, 14],
    ["Chat", 200, 0],
  ]);
});

test("the middleware refuses without serve, too", async () => {
  const app = express()
    .use(inbound({ authorization: { policy: { rules: [] } } }))
    .use(adapter);
  const port = await listening(createHttp1(app));
  expect(await codeOf(clientTo(port, "Express", "connect").client.say(text("x")))).toBe("PermissionDenied");
});
