import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { HealthImplementation, service as healthService } from "grpc-health-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ServeOptions, type Serving, serve } from "../../../src/server/server.ts";
import { boundServer, get, ordersClient } from "../../support/shop-service.ts";

interface HealthClient extends grpc.Client {
  check(request: { service: string }, done: (error: grpc.ServiceError | null, answer?: { status: string }) => void): void;
  watch(request: { service: string }): grpc.ClientReadableStream<{ status: string }>;
}

/** The client of npm's `grpc-health-check`, as others ask. */
function healthClient(port: number): HealthClient {
  const Client = grpc.makeGenericClientConstructor(healthService as grpc.ServiceDefinition, "Health");
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure()) as unknown as HealthClient;
  onTestFinished(() => client.close());
  return client;
}

function check(client: HealthClient, service = ""): Promise<string | number> {
  return new Promise((resolve) => client.check({ service }, (error, answer) => resolve(error?.code ?? answer?.status ?? "none")));
}

function watching(client: HealthClient, service = ""): { readonly said: string[]; readonly ended: Promise<grpc.StatusObject> } {
  const said: string[] = [];
  const call = client.watch({ service });
  onTestFinished(() => call.cancel());
  call.on("data", ({ status }: { status: string }) => said.push(status));
  call.on("error", () => {});
  return { said, ended: new Promise((resolve) => call.once("status", resolve)) };
}

async function served(options: ServeOptions = {}): Promise<{ serving: Serving; port: number }> {
  const { server, port } = await boundServer({ Get: (_call, done) => done(null, {}) });
  const serving = serve(server, { signals: [], log: false, lameDuckMs: 1_500, inbound: {}, ...options });
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  return { serving, port };
}

describe("the health service of a server of grpc-js", () => {
  test("answers for the process and for each of its services, and not for others", async () => {
    const client = healthClient((await served()).port);
    expect(await check(client)).toBe("SERVING");
    expect(await check(client, "shop.v1.Orders")).toBe("SERVING");
    expect(await check(client, "shop.v1.Gone")).toBe(grpc.status.NOT_FOUND);
  });

  test("tells those that watch of readiness, and before any connection closes that it leaves", async () => {
    let isReady = true;
    const { serving, port } = await served({ ready: () => isReady });
    const client = healthClient(port);
    const { said, ended } = watching(client);
    const other = watching(client, "shop.v1.Gone");
    await expect.poll(() => said).toEqual(["SERVING"]);
    expect(other.said).toEqual(["SERVICE_UNKNOWN"]);
    isReady = false;
    await expect.poll(() => said, { timeout: 5_000 }).toEqual(["SERVING", "NOT_SERVING"]);
    expect(await check(client)).toBe("NOT_SERVING");
    isReady = true;
    await expect.poll(() => said, { timeout: 5_000 }).toEqual(["SERVING", "NOT_SERVING", "SERVING"]);
    // Without a caller that still has to learn of it, there is no lame duck.
    await get(ordersClient(port));
    const stopped = serving.stop();
    await expect.poll(() => said.at(-1)).toBe("NOT_SERVING");
    expect(serving.state).toBe("lame-duck");
    expect(await check(client)).toBe("NOT_SERVING");
    expect((await get(ordersClient(port))).error).toBeUndefined();
    expect(await ended).toMatchObject({ code: grpc.status.UNAVAILABLE, details: "this instance is stopping" });
    expect(await stopped).toMatchObject({ cutOff: 0, problems: [] });
  });

  test("takes the word of a function on each service, and counts one that throws as not serving", async () => {
    const services = (service: string): boolean | undefined => {
      if (service === "broken") throw new Error("broken");
      return service === "up" ? true : service === "down" ? false : undefined;
    };
    const client = healthClient((await served({ inbound: { health: { grpc: { services } } } })).port);
    expect(await check(client, "up")).toBe("SERVING");
    expect(await check(client, "down")).toBe("NOT_SERVING");
    expect(await check(client, "broken")).toBe("NOT_SERVING");
    expect(await check(client, "other")).toBe(grpc.status.NOT_FOUND);
  });

  test("is not in the way of one that the server has itself", async () => {
    const { server, port } = await boundServer({});
    new HealthImplementation({ "": "NOT_SERVING", own: "SERVING" }).addToServer(server as never);
    const serving = serve(server, { signals: [], log: false, lameDuckMs: 0, inbound: {} });
    onTestFinished(async () => void (await serving.stop()));
    const client = healthClient(port);
    expect(await check(client)).toBe("NOT_SERVING");
    expect(await check(client, "own")).toBe("SERVING");
  });

  test("is neither limited nor asked for a token, and counts in no limit", async () => {
    const policy = { rules: [] };
    const { port } = await served({ inbound: { authorization: { policy }, rateLimit: { perSecond: 0.01, burst: 1 } } });
    const client = healthClient(port);
    for (let count = 0; count < 3; count++) expect(await check(client)).toBe("SERVING");
  });

  test("lists its services, as the current protocol has it", async () => {
    const { port } = await served();
    const answer = await new Promise<Buffer | undefined>((resolve) =>
      healthClient(port).makeUnaryRequest(
        "/grpc.health.v1.Health/List",
        () => Buffer.alloc(0),
        (bytes) => bytes,
        {},
        (_error, bytes) => resolve(bytes as Buffer | undefined),
      ),
    );
    expect(answer?.toString("latin1")).toContain("shop.v1.Orders");
  });

  test.each([
    ["a message of another kind", Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]), "3"],
    ["half a frame", Buffer.from([0, 0, 0]), "3"],
    ["a compressed message", Buffer.from([1, 0, 0, 0, 0]), "3"],
    ["a name without an end", Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x7f]), "3"],
    ["too many bytes", Buffer.alloc(70_000), "8"],
  ])("refuses %s", async (_name, body, expected) => {
    const { port } = await served();
    expect((await raw(port, "/grpc.health.v1.Health/Check", body))["grpc-status"]).toBe(expected);
  });
});

test("a server of HTTP/2 with a listener of requests answers for it where it is asked to", async () => {
  const server = createServer((_request, response) => void response.end("handler"));
  server.listen(0, "127.0.0.1");
  const health = { grpc: { services: ["shop.v1.Orders"] } };
  const serving = serve(server, { signals: [], log: false, lameDuckMs: 0, inbound: { health } });
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  const client = healthClient((server.address() as AddressInfo).port);
  expect(await check(client, "shop.v1.Orders")).toBe("SERVING");
  const { said, ended } = watching(client);
  await expect.poll(() => said).toEqual(["SERVING"]);
  const { cutOff } = await serving.stop();
  expect(cutOff).toBe(0);
  expect((await ended).code).toBe(grpc.status.UNAVAILABLE);
});

/** The head and the trailers of the answer to some bytes. */
function raw(port: number, path: string, body: Buffer): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    onTestFinished(() => session.destroy());
    session.once("error", reject);
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" });
    let fields: Record<string, unknown> = {};
    stream.once("response", (head) => (fields = { ...fields, ...head }));
    stream.once("trailers", (trailers) => (fields = { ...fields, ...trailers }));
    stream.once("error", reject);
    stream.resume().once("close", () => resolve(fields));
    stream.end(body);
  });
}
