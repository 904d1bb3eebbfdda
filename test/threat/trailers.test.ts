import { request as httpRequest, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { text as textOf } from "node:stream/consumers";
import type { Dispatcher } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { exchange, gatewayTo, http2Client, http2Request } from "../support/gateway.ts";
import { meshOf } from "../support/mesh.ts";
import { listening, serve, serveRaw } from "../support/servers.ts";

const own = { "x-mesh-refused": "1", "x-mesh-instance": "orders-1,127.0.0.1:1;leaving=1" };
const sent = { ...own, "X-Mesh-Refused": "1", "x-kept": "kept" };

/** An instance whose answers end with these trailers. */
async function trailing(protocol: "h1" | "h2"): Promise<number> {
  if (protocol === "h1")
    return (
      await serve((_request, response) => {
        response.writeHead(200, { trailer: Object.keys(sent).join() });
        response.write("a");
        response.addTrailers(sent);
        response.end();
      })
    ).port;
  const server = createHttp2Server((_request, response) => {
    response.write("a");
    response.addTrailers({ ...own, "x-kept": "kept" });
    response.end();
  });
  return await listening(server);
}

/** All that each door shows of the trailers of an answer. */
const seenBy: Readonly<Record<string, (mesh: Mesh) => Promise<unknown>>> = {
  async fetch(mesh) {
    const response = (await mesh.fetch("users/")) as Response & { readonly trailers: Headers };
    await response.text();
    return [...response.trailers];
  },
  async request(mesh) {
    const reply = await mesh.request("users/");
    await reply.body.text();
    return reply.trailers;
  },
  async dispatcher(mesh) {
    const asked: object = { origin: "http://users", path: "/", method: "GET" };
    const reply = await mesh.dispatcher().request(asked as Parameters<Dispatcher["request"]>[0]);
    await reply.body.text();
    return reply.trailers;
  },
  async agent(mesh) {
    const agent = mesh.agent();
    onTestFinished(() => agent.destroy());
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest({ agent, host: "users", path: "/" }, resolve).on("error", reject).end();
    });
    // Made before they have come.
    void [response.trailers, response.trailersDistinct];
    await textOf(response);
    return [response.trailers, response.trailersDistinct, response.rawTrailers];
  },
};

describe("T59: trailers", () => {
  test.each(
    Object.keys(seenBy).flatMap((door) =>
      (door === "agent" ? (["h1"] as const) : (["h1", "h2"] as const)).map((protocol) => [door, protocol] as const),
    ),
  )("of an answer say nothing by names of the mesh's own, by the door %s over %s", async (door, protocol) => {
    const mesh = meshOf({ users: await trailing(protocol) }, { protocol });
    const seen = JSON.stringify(await seenBy[door]?.(mesh)).toLowerCase();
    expect(seen).toContain("kept");
    expect(seen).not.toContain("x-mesh");
  });

  test.each(["h1", "h2"] as const)("of an answer over %s pass a gateway without those names", async (protocol) => {
    const { port, http2Port } = await gatewayTo(await trailing(protocol), {}, { protocol });
    const one = await exchange(port, "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: close\r\n\r\n", 10_000);
    const two = await http2Request(http2Client(http2Port), { ":path": "/" });
    expect(one).toContain("x-kept: kept");
    expect(one.split("\r\n\r\n").slice(1).join()).not.toMatch(/x-mesh/i);
    expect(Object.entries(two.trailers)).toEqual([["x-kept", "kept"]]);
  });

  test.each([
    "connection: x-a",
    "transfer-encoding: chunked",
    "upgrade: x",
    "keep-alive: x",
    "proxy-connection: x",
    "te: gzip",
    "http2-settings: x",
    "host: a",
    "content-type: x",
    "content-encoding: gzip",
    "set-cookie: a=1",
    "location: /x",
    "trailer: y",
    "access-control-allow-origin: *",
    "x-listed: of the connection",
    "constructor: x",
    "__proto__: x",
  ])("of an instance with %s break no connection and no process, and a client gets none that it may not act upon", async (line) => {
    const head = "HTTP/1.1 200 OK\r\nconnection: x-listed\r\ntransfer-encoding: chunked\r\n\r\n";
    const instance = await serveRaw(
      (socket) => void socket.write(`${head}1\r\na\r\n0\r\n${line}\r\n${line}\r\nx-kept: 1\r\nx-kept: 2\r\n\r\n`),
    );
    const { port, http2Port } = await gatewayTo(instance.port);
    const one = await exchange(port, "GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: close\r\n\r\n", 10_000);
    const two = await http2Request(http2Client(http2Port), { ":path": "/" });
    const [name = "", value] = line.split(": ");
    const isPassed = ["constructor", "__proto__"].includes(name);
    const expected = isPassed ? [`${name}: ${value}, ${value}`, "x-kept: 1, 2"] : ["x-kept: 1, 2"];
    expect(one.split("\r\n0\r\n")[1]?.trim().split("\r\n")).toEqual(expected);
    expect(Object.entries({ ...two.trailers }).map((each) => each.join(": "))).toEqual(expected);
  });

  test("of a request reach no instance behind a gateway", async () => {
    const seen: unknown[] = [];
    const instance = await serve((request, response) => {
      seen.push(request.rawTrailers, request.rawHeaders.join().toLowerCase());
      response.end("ok");
    });
    const { port } = await gatewayTo(instance.port, { trustedPeers: [] });
    const trailers = "x-forwarded-client-cert: URI=spiffe://a/admin\r\nx-mesh-identity: admin\r\nx-kept: 1\r\n";
    const head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    expect(await exchange(port, `${head}1\r\na\r\n0\r\n${trailers}\r\n`, 10_000)).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen).toEqual([[], expect.not.stringContaining("admin")]);
  });
});

describe("heads of answers that HTTP/2 cannot have", () => {
  test.each([
    "etag: 1\r\netag: 2",
    "content-type: a\r\ncontent-type: b",
    "location: /a\r\nlocation: /b",
    "retry-after: 1\r\nretry-after: 2",
    "date: x\r\ndate: y",
    "http2-settings: x",
    "keep-alive: x",
    "te: trailers",
    "upgrade: h2c",
  ])("%j: the request ends", async (lines) => {
    for (const framing of [
      "content-length: 1\r\n\r\na",
      "transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
      "connection: close\r\n\r\na",
    ]) {
      const instance = await serveRaw((socket) => void socket.end(`HTTP/1.1 200 OK\r\n${lines}\r\n${framing}`));
      const { http2Port } = await gatewayTo(instance.port);
      const { headers, body } = await http2Request(http2Client(http2Port), { ":path": "/" });
      expect([headers[":status"], body]).toEqual([200, "a"]);
      const [[name = "", first] = [], [, second] = []] = lines.split("\r\n").map((line) => line.split(": "));
      expect(headers[name]).toBe(second === undefined ? undefined : `${first}, ${second}`);
    }
  });
});
