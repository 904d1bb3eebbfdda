import { createServer, request } from "node:http";
import { describe, expect, test } from "vitest";
import { gateway } from "../../src/gateway/gateway.ts";
import { exchange, gatewayTo, http2Client, http2Request } from "../support/gateway.ts";
import { serve } from "../support/servers.ts";

describe("a gateway", () => {
  test("passes a request on and its response back, with status, headers and body", async () => {
    const instance = await serve((_request, response) => {
      response.writeHead(201, "Made", [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["x-own", "1"],
      ] as never);
      response.end("made");
    });
    const { port } = await gatewayTo(instance.port);
    const response = await fetch(`http://127.0.0.1:${port}/things?x=%2F1`, { method: "POST", body: "thing", headers: { "x-mine": "2" } });
    expect(response.status).toBe(201);
    expect(response.statusText).toBe("Made");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(response.headers.get("x-own")).toBe("1");
    expect(await response.text()).toBe("made");
    const [seen] = instance.seen;
    expect(`${seen?.method} ${seen?.url}`).toBe("POST /things?x=%2F1");
    expect(seen?.body.toString()).toBe("thing");
    expect(seen?.headers["x-mine"]).toBe("2");
    expect(seen?.headers.host).toBe(`127.0.0.1:${port}`);
  });

  test("does the same over HTTP/2, with repeated headers and trailers", async () => {
    const instance = await serve((_request, response) => {
      response.writeHead(200, { "set-cookie": ["a=1", "b=2"], trailer: "x-sum" });
      response.write("one");
      response.addTrailers({ "x-sum": "7" });
      response.end("two");
    });
    const { http2Port } = await gatewayTo(instance.port);
    const session = http2Client(http2Port);
    const answer = await http2Request(session, { ":method": "POST", ":path": "/x", ":authority": "shop.example", a: "1" }, "body");
    expect(answer.headers[":status"]).toBe(200);
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(answer.body).toBe("onetwo");
    expect(answer.trailers["x-sum"]).toBe("7");
    expect(instance.seen[0]?.headers.host).toBe("shop.example");
    expect(instance.seen[0]?.body.toString()).toBe("body");
    const empty = await http2Request(session, { ":path": "/y", ":authority": "shop.example" });
    expect(empty.headers[":status"]).toBe(200);
    expect(instance.seen[1]?.headers["content-length"]).toBeUndefined();
    expect(instance.seen[1]?.headers["transfer-encoding"]).toBeUndefined();
  });

  test.each([204, 304])("passes a %d on without a body", async (status) => {
    const instance = await serve((_request, response) => response.writeHead(status, { etag: '"1"' }).end());
    const { port } = await gatewayTo(instance.port);
    const text = await exchange(port, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text).toContain('etag: "1"');
    expect(text).not.toMatch(/content-length|transfer-encoding/i);
    expect(text.endsWith("\r\n\r\n")).toBe(true);
  });

  test("answers HEAD with the length of the body, and without it", async () => {
    const instance = await serve((_request, response) => response.writeHead(200, { "content-length": "5" }).end("hello"));
    const { port } = await gatewayTo(instance.port);
    const text = await exchange(port, "HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect(text).toMatch(/content-length: 5/i);
    expect(text.endsWith("\r\n\r\n")).toBe(true);
  });

  test("cancels the attempt when its client goes away", async () => {
    const instance = await serve((_request, response) => void response.write("first"));
    const { port } = await gatewayTo(instance.port);
    await new Promise<void>((resolve) => {
      const call = request({ port, host: "127.0.0.1" }, (response) => {
        response.on("error", () => {});
        response.once("data", () => {
          call.destroy();
          resolve();
        });
      });
      call.on("error", () => {});
      call.end();
    });
    await expect.poll(() => instance.abandoned).toBe(1);
  });

  test("cuts a response off whose instance breaks it off, so that its client sees that", async () => {
    const instance = await serve((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.destroy());
    });
    const { port } = await gatewayTo(instance.port);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    await expect(response.text()).rejects.toThrow();
  });

  test("has 404 for a request that nothing leads to a service", async () => {
    const { port } = await gatewayTo([], { service: undefined as never });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe("Not Found\n");
  });

  test("refuses what is no mesh, and wrong options", () => {
    expect(() => gateway({})).toThrow(/gateway: mesh must be a mesh/);
    expect(() => createServer(gateway(null as never).handle)).toThrow(/a mesh/);
  });
});
