import { describe, expect, test } from "vitest";
import { exchange, gatewayTo, http2Client, http2Request } from "../support/gateway.ts";
import { serve } from "../support/servers.ts";

const get = "GET / HTTP/1.1\r\nhost: a\r\n";
const smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";

/** Bytes on a connection, and the status of the first answer; the instance must not see `/smuggled`. */
const refused: readonly [name: string, bytes: string, status: number][] = [
  [
    "a length beside a transfer encoding",
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
  ],
  ["two lengths that differ", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 38\r\n\r\n${smuggled}`, 400],
  ["two lengths that are equal", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx`, 400],
  ["a list of lengths", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\nx`, 400],
  ["a length with a sign", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\nx`, 400],
  ["a length in hexadecimal", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x1\r\n\r\nx`, 400],
  ["a negative length", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n`, 400],
  ["a length beyond every number", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999999\r\n\r\n`, 400],
  ["a transfer encoding that is not chunked", `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  [
    "chunked twice",
    `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
  ],
  ["chunked before another coding", `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ["a coding before chunked", `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ["white space before the colon", `POST / HTTP/1.1\r\nhost: a\r\ncontent-length : 38\r\n\r\n${smuggled}`, 400],
  ["a name with a control character", `${get}x\u0000y: 1\r\n\r\n`, 400],
  ["a value with a null", `${get}x: a\u0000b\r\n\r\n`, 400],
  ["a bare carriage return in a value", `${get}x: a\rtransfer-encoding: chunked\r\n\r\n`, 400],
  ["a folded line", `${get}x: a\r\n transfer-encoding: chunked\r\n\r\n`, 400],
  ["a chunk size that is no number", `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n`, 400],
  [
    "a chunk size beyond every number",
    `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nx\r\n0\r\n\r\n`,
    400,
  ],
  ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["two hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400],
  ["a host with user information", "GET / HTTP/1.1\r\nhost: a@b\r\n\r\n", 400],
  ["a host with a path", "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n", 400],
  ["a host with a space", "GET / HTTP/1.1\r\nhost: a b\r\n\r\n", 400],
  ["a target that names another host", "GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["a target with user information", "GET http://a@b/ HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["a target of another scheme", "GET ftp://a/ HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["an asterisk", "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["a dot segment", "GET /a/../smuggled HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["an encoded dot segment", "GET /a/%2e%2E/smuggled HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["a backslash", "GET /a\\..\\smuggled HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["a fragment", "GET /#smuggled HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["a trace", "TRACE / HTTP/1.1\r\nhost: a\r\ncookie: secret\r\n\r\n", 405],
  ["another trace", "TRACK / HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["a version of its own", "GET / HTTP/1.2\r\nhost: a\r\n\r\n", 400],
  ["a request line of an earlier version", "GET /smuggled\r\n\r\n", 505],
  ["a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["a handshake of TLS", "\u0016\u0003\u0001\u0000\u00a5\u0001\u0000\u0000\u00a1\u0003\u0003", 400],
  ["a head that is too large", `${get}x: ${"y".repeat(20_000)}\r\n\r\n`, 431],
  ["a request that goes in a circle", `${get}via: ${Array.from({ length: 10 }, () => "1.1 inmesh").join(", ")}\r\n\r\n`, 508],
  ["a change to h2c", `${get}connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`, 501],
  ["a change to a protocol of its own", `${get}connection: upgrade\r\nupgrade: tunnel\r\n\r\n${smuggled}`, 501],
];

describe("a gateway refuses", () => {
  test.each(refused)("%s", async (_name, bytes, status) => {
    const instance = await serve((_request, response) => response.end("secret"));
    const { port } = await gatewayTo(instance.port);
    const answer = await exchange(port, Buffer.from(bytes, "latin1"), 1_000);
    expect(answer.split("\r\n")[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toContain("secret");
    expect(instance.begun).toEqual([]);
    // One answer for one request: a second one would be that to the smuggled one.
    expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
  });

  test("a request of HTTP/2 that names two hosts, and targets that are no path", async () => {
    const instance = await serve();
    const { http2Port } = await gatewayTo(instance.port);
    const session = http2Client(http2Port);
    for (const headers of [
      { ":path": "/", ":authority": "a", host: "b" },
      { ":path": "/a/../b", ":authority": "a" },
      { ":path": "/", ":authority": "a@b" },
      { ":path": "*", ":method": "OPTIONS", ":authority": "a" },
    ]) {
      // The parser of Node.js refuses some of them by itself.
      const status = await http2Request(session, headers).then(
        (answer) => answer.headers[":status"],
        () => 400,
      );
      expect(status, JSON.stringify(headers)).toBe(400);
    }
    expect(instance.begun).toEqual([]);
  });
});

describe("instances see", () => {
  const seenFrom = async (lines: string, options = {}) => {
    const instance = await serve();
    const { port } = await gatewayTo(instance.port, options);
    await exchange(port, `GET / HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n${lines}\r\n`);
    return instance.seen[0]?.headers ?? {};
  };

  test.each([
    ["proxy-connection", "proxy-connection: keep-alive\r\n"],
    ["proxy-authorization", "proxy-authorization: Basic x\r\n"],
    ["keep-alive", "keep-alive: timeout=5\r\n"],
    ["te", "te: gzip\r\n"],
    ["x-mesh-deadline-ms", "x-mesh-deadline-ms: 99999999\r\n", "99999999"],
    ["x-mesh-refused", "x-mesh-refused: 1\r\n"],
    ["x-listed", "connection: x-listed\r\nx-listed: 1\r\n"],
    ["x-also-listed", "x-also-listed: 1\r\nconnection: close, X-Also-Listed\r\n"],
  ])("no %s", async (name, lines, never?: string) => {
    const seen = await seenFrom(lines);
    expect(seen[":sent"] ?? seen["host"]).toBe("shop.example");
    if (never === undefined) expect(seen[name]).toBeUndefined();
    else expect(seen[name]).not.toBe(never);
  });

  test("the client's address by a header that the client cannot write", async () => {
    const claims =
      "x-forwarded-for: 6.6.6.6\r\nx-forwarded-proto: https\r\nx-real-ip: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nforwarded: for=6.6.6.6\r\nx-request-id: mine\r\n";
    const seen = await seenFrom(claims, { trustedPeers: [] });
    expect(seen["x-forwarded-for"]).toBe("127.0.0.1");
    expect(seen["x-forwarded-proto"]).toBe("http");
    expect(seen["x-forwarded-host"]).toBe("shop.example");
    expect(JSON.stringify(seen)).not.toMatch(/6\.6\.6\.6|mine/);
    const trusted = await seenFrom(claims);
    expect(trusted["x-forwarded-for"]).toBe("6.6.6.6, 127.0.0.1");
    expect(trusted["x-forwarded-proto"]).toBe("https");
    expect(trusted["x-request-id"]).toBe("mine");
  });

  test("not that a client has named the headers of the gateway in its connection header", async () => {
    const seen = await seenFrom("connection: x-forwarded-for, host, x-request-id, via\r\n");
    expect(seen["x-forwarded-for"]).toBe("127.0.0.1");
    expect(seen["via"]).toBe("1.1 inmesh");
    expect(seen["x-request-id"]).toMatch(/^[\da-f-]{36}$/);
  });

  test("the form of forwarding that was asked for", async () => {
    expect((await seenFrom("", { forwarded: "forwarded" }))["forwarded"]).toBe('for=127.0.0.1;host="shop.example";proto=http');
    const none = await seenFrom("", { forwarded: "none", via: false, requestId: false, host: "instance" });
    expect(none["forwarded"] ?? none["x-forwarded-for"] ?? none["via"] ?? none["x-request-id"]).toBeUndefined();
    expect(none.host).toMatch(/^127\.0\.0\.1:/);
  });
});
