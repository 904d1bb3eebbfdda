import { type ClientHttp2Session, connect, createSecureServer, createServer, type Http2SecureServer, type Http2Server } from "node:http2";
import { request as secureRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { type Serving, serve } from "../../src/server/server.ts";
import { certificate } from "../support/certificate.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const { key, cert } = certificate;
const quiet = { signals: [], log: false, lameDuckMs: 0 } as const;

interface Served {
  readonly serving: Serving;
  readonly port: number;
  readonly client: ClientHttp2Session;
  answer(): void;
  readonly isAsked: () => boolean;
}

async function served(server: Http2Server | Http2SecureServer, graceMs = 5_000): Promise<Served> {
  let answer: (() => void) | undefined;
  server.on("request", (request, response) => {
    if (request.url === "/slow") answer = () => response.end("slow");
    else response.end("ok");
  });
  server.listen(0, "127.0.0.1");
  const serving = serve(server, { ...quiet, graceMs });
  await serving.started;
  const { port } = server.address() as AddressInfo;
  const client = connect(`${"setSecureContext" in server ? "https" : "http"}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  client.on("error", () => {});
  ends.push(
    () => client.destroy(),
    () => serving.stop(),
  );
  return { serving, port, client, answer: () => answer?.(), isAsked: () => answer !== undefined };
}

function get(client: ClientHttp2Session, path: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = client.request({ ":path": path });
    let status: number | undefined;
    let text = "";
    stream.setEncoding("utf8").on("response", (headers) => (status = headers[":status"]));
    stream.on("data", (part: string) => (text += part));
    stream.once("end", () => resolve({ status, text }));
    stream.once("error", reject);
  });
}

describe.each([
  ["h2c", () => createServer()],
  ["h2 over TLS", () => createSecureServer({ key, cert })],
])("stopping a server of %s", (_kind, make) => {
  test("ends its streams first, and tells the client the last one that is processed", async () => {
    const { serving, client, answer, isAsked } = await served(make());
    const goaways: number[] = [];
    client.on("goaway", (_code, last) => goaways.push(last));
    expect(await get(client, "/")).toEqual({ status: 200, text: "ok" });
    const slow = get(client, "/slow");
    await expect.poll(isAsked).toBe(true);
    const stopped = serving.stop();
    await expect.poll(() => goaways[0]).toBe(3);
    answer();
    expect((await slow).text).toBe("slow");
    expect(await stopped).toMatchObject({ cutOff: 0 });
  });

  test("is not held up by sessions at rest", async () => {
    const { serving, client } = await served(make());
    await get(client, "/");
    const { drainMs } = await serving.stop();
    expect(drainMs).toBeLessThan(2_000);
  });

  test("cuts off streams that take longer than graceMs", async () => {
    const { serving, client, isAsked } = await served(make(), 50);
    const slow = get(client, "/slow");
    await expect.poll(isAsked).toBe(true);
    expect(await serving.stop()).toMatchObject({ cutOff: 1 });
    expect((await slow).status).toBeUndefined();
  });
});

test("a server that takes HTTP/1.1 beside HTTP/2 closes both kinds of connections, and those within their handshake", async () => {
  const { serving, port, client } = await served(createSecureServer({ key, cert, allowHTTP1: true }));
  await get(client, "/");
  const text = await new Promise<string>((resolve, reject) => {
    const request = secureRequest({
      port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      agent: false,
      headers: { connection: "keep-alive" },
    });
    request.once("response", (response) => response.setEncoding("utf8").once("data", resolve));
    request.once("error", reject).end();
  });
  expect(text).toBe("ok");
  const warmed = tlsConnect({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
  await new Promise((resolve) => warmed.once("secureConnect", resolve));
  const { connect: tcp } = await import("node:net");
  const silent = tcp(port, "127.0.0.1");
  const closed = [warmed, silent].map(
    (socket) =>
      new Promise((resolve) =>
        socket
          .on("error", () => {})
          .once("close", resolve)
          .resume(),
      ),
  );
  await new Promise((resolve) => silent.once("connect", resolve));
  const { drainMs, cutOff } = await serving.stop();
  expect(cutOff).toBe(0);
  expect(drainMs).toBeLessThan(2_000);
  await Promise.all(closed);
});

test("a server whose program handles streams itself refuses new ones while it drains", async () => {
  const server = createServer();
  let answer: (() => void) | undefined;
  server.on(
    "stream",
    (stream) =>
      (answer = () => {
        stream.respond({ ":status": 200 });
        stream.end("done");
      }),
  );
  server.listen(0, "127.0.0.1");
  const serving = serve(server, quiet);
  await serving.started;
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  ends.push(() => client.destroy());
  const slow = get(client, "/");
  await expect.poll(() => answer).toBeDefined();
  const stopped = serving.stop();
  await expect.poll(() => serving.state).toBe("draining");
  answer?.();
  expect(await slow).toEqual({ status: 200, text: "done" });
  await stopped;
});
