import { createServer } from "node:http2";
import type { StringValue } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, createClient, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { type MeshTransportOptions, meshTransport } from "../../src/connect/connect.ts";
import { isMeshError, type Mesh, type MeshOptions, roundRobin } from "../../src/index.ts";
import { meshOf } from "../support/mesh.ts";
import { listening } from "../support/servers.ts";
import { type EchoClient, echoService, failureOf, text, texts, valuesOf } from "./echo-service.ts";

const service = echoService();

interface Seen {
  readonly method: string;
  readonly headers: Headers;
  readonly timeoutMs: number | undefined;
}

function echo(seen: Seen[], failing: { code: Code | undefined }) {
  const note = (method: string, { requestHeader, timeoutMs }: HandlerContext) => {
    seen.push({ method, headers: requestHeader, timeoutMs: timeoutMs() });
    if (failing.code !== undefined) throw new ConnectError("it failed: 100 % ☃", failing.code, { "x-why": "because" });
  };
  return (router: ConnectRouter) =>
    router.service(service, {
      say: ({ value }: StringValue, context: HandlerContext) => {
        note("say", context);
        context.responseHeader.set("x-head", "h");
        context.responseTrailer.set("x-tail", "t");
        return { value: `you said ${value}` };
      },
      look: ({ value }: StringValue, context: HandlerContext) => {
        note(`look ${context.requestMethod}`, context);
        return { value };
      },
      async *count({ value }: StringValue, context: HandlerContext) {
        note("count", context);
        context.responseTrailer.set("x-tail", "t");
        for (let number = 1; number <= Number(value); number++) yield { value: String(number) };
      },
      sum: async (values: AsyncIterable<StringValue>, context: HandlerContext) => {
        note("sum", context);
        let sum = 0;
        for await (const { value } of values) sum += Number(value);
        return { value: String(sum) };
      },
      async *chat(values: AsyncIterable<StringValue>, context: HandlerContext) {
        note("chat", context);
        for await (const { value } of values) yield { value: `> ${value}` };
      },
    } as never);
}

async function echoServer(code?: Code) {
  const seen: Seen[] = [];
  const failing = { code };
  const server = createServer(connectNodeAdapter({ routes: echo(seen, failing) }));
  return { port: await listening(server), seen, failing };
}

const meshTo = (ports: number | readonly number[], options: Partial<MeshOptions> = {}) =>
  meshOf({ echo: ports }, { protocol: "h2", picker: roundRobin(), ...options });
const clientOf = (mesh: Mesh, options: MeshTransportOptions = {}) =>
  createClient(service, meshTransport(mesh, "echo", options)) as unknown as EchoClient;

describe.each(["grpc", "grpc-web", "connect"] as const)("by %s", (protocol) => {
  it("calls every kind of method", async () => {
    const { port } = await echoServer();
    const client = clientOf(meshTo(port), { protocol });
    expect((await client.say(text("hi"))).value).toBe("you said hi");
    expect(await valuesOf(client.count(text("3")))).toEqual(["1", "2", "3"]);
    expect((await client.sum(texts("1", "2", "39"))).value).toBe("42");
    expect(await valuesOf(client.chat(texts("a", "b")))).toEqual(["> a", "> b"]);
  });

  it("calls with messages in JSON, and compressed both ways", async () => {
    const { port } = await echoServer();
    const mesh = meshTo(port);
    for (const sendCompression of ["gzip", "br"] as const) {
      const client = clientOf(mesh, { protocol, codec: "json", sendCompression, compressMinBytes: 10 });
      const long = "long ".repeat(1_000);
      expect((await client.say(text(long))).value).toBe(`you said ${long}`);
      expect(await valuesOf(client.chat(texts(long, "b")))).toEqual([`> ${long}`, "> b"]);
    }
  });

  it("takes the status, the message and the metadata of an error", async () => {
    const { port, failing } = await echoServer(Code.NotFound);
    const client = clientOf(meshTo(port), { protocol });
    const error = await failureOf(client.say(text("x")));
    expect([error.code, error.rawMessage, error.metadata.get("x-why")]).toEqual([Code.NotFound, "it failed: 100 % ☃", "because"]);
    failing.code = Code.Aborted;
    const streamed = await failureOf(valuesOf(client.count(text("1"))));
    expect([streamed.code, streamed.rawMessage, streamed.metadata.get("x-why")]).toEqual([Code.Aborted, "it failed: 100 % ☃", "because"]);
  });

  it("sends metadata, and reads that of the answer", async () => {
    const { port, seen } = await echoServer();
    const client = clientOf(meshTo(port), { protocol });
    const got: (string | null)[] = [];
    const options = {
      headers: { "x-mine": "1", "x-key-bin": "AAEC" },
      onHeader: (headers: Headers) => void got.push(headers.get("x-head")),
      onTrailer: (headers: Headers) => void got.push(headers.get("x-tail")),
    };
    await client.say(text("x"), options);
    await valuesOf(client.count(text("1"), options));
    expect(got).toEqual(["h", "t", null, "t"]);
    expect([seen[0]?.headers.get("x-mine"), seen[0]?.headers.get("x-key-bin")]).toEqual(["1", "AAEC"]);
  });

  it("tells the instance the sooner one of both limits, and ends the call at it", async () => {
    const { port, seen } = await echoServer();
    const client = clientOf(meshTo(port, { timeoutMs: 5_000 }), { protocol });
    await client.say(text("x"), { timeoutMs: 60_000 });
    await client.say(text("x"), { timeoutMs: 1_000 });
    await valuesOf(client.count(text("1")));
    expect(seen[0]?.timeoutMs).toBeGreaterThan(3_000);
    expect(seen[0]?.timeoutMs).toBeLessThanOrEqual(5_000);
    expect(seen[1]?.timeoutMs).toBeLessThanOrEqual(1_000);
    expect(seen[2]?.timeoutMs).toBeUndefined();
  });

  it("refuses metadata with a reserved name before anything is sent, and does not show its value", async () => {
    const { port, seen } = await echoServer();
    const client = clientOf(meshTo(port), { protocol });
    const error = await failureOf(client.say(text("x"), { headers: { "grpc-timeout": "s3cret" } }));
    expect([error.code, error.rawMessage]).toEqual([Code.InvalidArgument, 'metadata of the call: the name "grpc-timeout" is reserved']);
    await failureOf(valuesOf(client.count(text("1"), { headers: { te: "x" } })));
    expect(seen).toEqual([]);
  });

  it("counts an error for its instance, and sends what may be repeated to another one", async () => {
    const bad = await echoServer(Code.Unavailable);
    const good = await echoServer();
    const mesh = meshTo([bad.port, good.port], { breaker: false });
    const client = clientOf(mesh, { protocol });
    for (let index = 0; index < 4; index++) expect((await client.look(text("x"))).value).toBe("x");
    expect(bad.seen.length).toBeGreaterThan(0);
    let failed = 0;
    for (let index = 0; index < 4; index++) await client.say(text("x")).catch(() => failed++);
    expect(failed).toBe(2);
    const failures = mesh.explain("echo")?.endpoints.map((endpoint) => endpoint.failures) ?? [];
    expect(Math.max(...failures)).toBe(bad.seen.length);
    expect(Math.min(...failures)).toBe(0);
  });

  it.each([undefined, 1_000_000])(
    "counts the error behind the messages of a stream, with maxResponseBytes %s",
    async (maxResponseBytes) => {
      const { port } = await echoServer(Code.Unavailable);
      const mesh = meshTo(port, { breaker: false, ...(maxResponseBytes !== undefined && { maxResponseBytes }) });
      await failureOf(valuesOf(clientOf(mesh, { protocol }).count(text("2"))));
      expect(mesh.explain("echo")?.endpoints[0]?.failures).toBe(1);
    },
  );

  it("names the service, the instance and the reason where no instance answers", async () => {
    const mesh = meshTo(9, { retry: false });
    const error = await failureOf(clientOf(mesh, { protocol }).say(text("x")));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.message).toMatch(/127\.0\.0\.1:9 of "echo"/);
    expect(isMeshError(error.cause) && error.cause.maybeExecuted).toBe(false);
  });

  it("says of a method that the server does not have what the server says", async () => {
    const { port } = await echoServer();
    expect((await failureOf(clientOf(meshTo(port), { protocol }).missing(text("x")))).code).toBe(Code.Unimplemented);
  });

  it("refuses messages over the limits of both directions", async () => {
    const { port } = await echoServer();
    const mesh = meshTo(port, { breaker: false });
    const client = clientOf(mesh, { protocol, readMaxBytes: 1_000, writeMaxBytes: 3_000, sendCompression: "gzip" });
    const read = await failureOf(client.say(text("x".repeat(2_000))));
    expect([read.code, read.rawMessage.includes('"echo" (127.0.0.1')]).toEqual([Code.ResourceExhausted, true]);
    expect((await failureOf(client.say(text("x".repeat(4_000))))).rawMessage).toContain("limit of 3000 bytes (writeMaxBytes)");
    expect((await failureOf(valuesOf(client.chat(texts("x".repeat(2_000)))))).code).toBe(Code.ResourceExhausted);
    expect(mesh.explain("echo")?.endpoints[0]?.failures).toBe(0);
  });

  it("ends a call by its signal, at each moment", async () => {
    const { port } = await echoServer();
    const client = clientOf(meshTo(port), { protocol });
    expect((await failureOf(client.say(text("x"), { signal: AbortSignal.abort() }))).code).toBe(Code.Canceled);
    const odd = await failureOf(client.say(text("x"), { signal: AbortSignal.abort("enough") }));
    expect([odd.code, odd.rawMessage, odd.cause]).toEqual([Code.Canceled, "enough", "enough"]);
    expect((await failureOf(client.say(text("x"), { signal: AbortSignal.timeout(0), timeoutMs: 2 ** 40 }))).code).toBe(
      Code.DeadlineExceeded,
    );
    const controller = new AbortController();
    const read: string[] = [];
    const error = await failureOf(
      (async () => {
        for await (const { value } of client.count(text("1000000"), { signal: controller.signal })) {
          read.push(value);
          if (read.length === 3) controller.abort();
        }
      })(),
    );
    expect(error.code).toBe(Code.Canceled);
    expect(read.length).toBeLessThan(1_000);
  });

  it("runs interceptors around every call", async () => {
    const { port, seen } = await echoServer();
    const log: string[] = [];
    const interceptor =
      (name: string): Interceptor =>
      (next) =>
      async (request) => {
        log.push(`${name} ${request.method.name} ${request.url}`);
        request.header.set("x-by", name);
        const response = await next(request);
        log.push(`${name} ${response.stream ? "stream" : response.trailer.get("x-tail")}`);
        return { ...response };
      };
    const client = clientOf(meshTo(port), { protocol, interceptors: [interceptor("a"), interceptor("b")] });
    expect((await client.say(text("x"))).value).toBe("you said x");
    expect(await valuesOf(client.count(text("1")))).toEqual(["1"]);
    expect(seen.map(({ headers }) => headers.get("x-by"))).toEqual(["b", "b"]);
    expect(log.filter((line) => line.startsWith("a"))).toEqual([
      "a Say http://echo/test.v1.Echo/Say",
      "a t",
      "a Count http://echo/test.v1.Echo/Count",
      "a stream",
    ]);
  });
});

it("sends a method without side effects by GET, where that is asked for", async () => {
  const { port, seen } = await echoServer();
  const client = clientOf(meshTo(port), { protocol: "connect", useHttpGet: true });
  expect((await client.look(text("by get"))).value).toBe("by get");
  expect((await client.look(text("x".repeat(5_000)))).value).toHaveLength(5_000);
  expect(seen.map(({ method }) => method)).toEqual(["look GET", "look POST"]);
});

it("takes options of calls for the mesh by method, and refuses those that are none", async () => {
  const { port, seen } = await echoServer(Code.Unavailable);
  const mesh = meshTo(port, { breaker: false });
  const asked: string[] = [];
  const callOptions = ({ name }: { name: string }) => {
    asked.push(name);
    return { retry: false } as const;
  };
  await failureOf(clientOf(mesh, { callOptions }).look(text("x")));
  expect([asked, seen.length]).toEqual([["Look"], 1]);
  await failureOf(clientOf(mesh, { isIdempotent: () => true }).say(text("x")));
  expect(seen.length).toBe(4);
  const wrong = await failureOf(clientOf(mesh, { callOptions: () => ({ timeoutMs: -1 }) }).say(text("x")));
  expect(wrong.rawMessage).toContain("timeoutMs");
});

it("refuses options that are none, and what is no mesh", () => {
  const mesh = meshTo(9);
  expect(() => meshTransport(mesh, "echo", { protocol: "soap" as never })).toThrow("meshTransport: protocol");
  expect(() => meshTransport(mesh, "echo", { readMaxByte: 1 } as never)).toThrow("readMaxByte");
  expect(() => meshTransport(mesh, "echo", { useHttpGet: true })).toThrow('of the protocol "connect" alone');
  expect(() => meshTransport(mesh, "echo:80")).toThrow("a port or another scheme is not allowed");
  expect(() => meshTransport({} as never, "echo")).toThrow("no mesh of createMesh");
});
