import { request as send } from "node:http";
import { createServer as createSecureServer, request as sendSecurely } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { serve } from "../../../../src/server/server.ts";
import { certificate } from "../../../support/certificate.ts";
import { ask, askRaw, guarded, Held, served } from "../served.ts";

/** Takes what is written to a log. */
function taken() {
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(...text.split("\n").filter((line) => line !== ""));
  const next = async (count = 1): Promise<readonly Record<string, unknown>[]> => {
    await expect.poll(() => lines.length).toBeGreaterThanOrEqual(count);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { lines, write, next };
}

describe("the access log", () => {
  test("has a line of JSON for each request, without secrets", async () => {
    const { write, next, lines } = taken();
    const { port } = await guarded(
      { accessLog: { write, headers: ["Authorization", "X-Api-Key", "Accept", "cookie"] } },
      (_request, response) => response.writeHead(201, { "content-length": 5 }).end("hello"),
    );
    await ask(port, {
      path: "/items?token=s3cret&page=2",
      headers: {
        authorization: "Bearer s3cret",
        "x-api-key": "s3cret",
        cookie: "session=s3cret",
        accept: "a/b",
        "user-agent": 'curl "7"\\',
        "x-mesh-attempt": "2",
        "x-mesh-deadline-ms": "5000",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      },
    });
    const [line] = await next();
    expect(line).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      peer: "127.0.0.1",
      method: "GET",
      target: "/items?token=*&page=*",
      protocol: "HTTP/1.1",
      status: 201,
      ms: expect.any(Number),
      bytes: 5,
      attempt: 2,
      deadlineMs: 5000,
      userAgent: 'curl "7"\\',
      traceId: "0af7651916cd43dd8448eb211c80319c",
      authorization: "REDACTED",
      "x-api-key": "REDACTED",
      cookie: "REDACTED",
      accept: "a/b",
    });
    expect(lines.join()).not.toContain("s3cret");
  });

  test("has nginx's combined form", async () => {
    const { lines, write } = taken();
    const { port } = await guarded({ accessLog: { format: "combined", write } }, (_request, response) => void response.end("ok"));
    await askRaw(
      port,
      'GET /a?b=1 HTTP/1.1\r\nhost: a\r\nreferer: https://x/?q=s3cret\r\nuser-agent: a"b\\c\tx\r\nconnection: close\r\n\r\n',
    );
    await expect.poll(() => lines.length).toBe(1);
    expect(lines[0]).toMatch(
      /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/a\?b=\* HTTP\/1\.1" 200 2 "https:\/\/x\/\?q=\*" "a\\x22b\\x5Cc\\x09x"$/,
    );
  });

  test("names the verified identity of a client, and no other", async () => {
    const { write, next } = taken();
    const server = createSecureServer(
      { ...certificate, ca: certificate.cert, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        // Node.js 22 and 24 give it once, and the log has asked for it.
        handled.push((request.socket as TLSSocket).getPeerX509Certificate() !== undefined);
        response.end("ok");
      },
    );
    const handled: boolean[] = [];
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const serving = serve(server, { signals: [], lameDuckMs: 0, log: false, inbound: { accessLog: { write } } });
    onTestFinished(async () => void (await serving.stop()));
    const { port } = server.address() as AddressInfo;
    const as = (own: object) =>
      new Promise((resolve, reject) => {
        sendSecurely({ port, host: "127.0.0.1", ca: certificate.cert, agent: false, ...own }, (response) =>
          resolve(response.resume().once("end", () => {})),
        )
          .once("error", reject)
          .end();
      });
    await as(certificate);
    await next(1);
    await as({});
    const [first, second] = await next(2);
    expect([first?.["identity"], second?.["identity"]]).toEqual(["eureka.test", undefined]);
    expect(handled).toEqual([true, false]);
  });

  test("has refusals with their part, requests that were cut off, and none of the mesh's own", async () => {
    const { write, next } = taken();
    const held = new Held();
    const { port } = await guarded({ accessLog: { write }, concurrency: { maxInFlight: 1, maxQueued: 0 } }, held.listener);
    const cut = send({ port, host: "127.0.0.1", path: "/cut", agent: false }).on("error", () => {});
    cut.end();
    await expect.poll(() => held.requests.length).toBe(1);
    await ask(port, { path: "/refused" });
    await ask(port, { path: "/.inmesh/live" });
    cut.destroy();
    expect(await next(2)).toMatchObject([
      { target: "/refused", status: 503, refusedBy: "concurrency" },
      { target: "/cut", status: null, cutOff: true },
    ]);
  });

  test("has a share of the requests, and all that failed", async () => {
    const { write, next } = taken();
    let drawn = 0;
    const { port } = await guarded(
      { accessLog: { write, sample: 0.5 }, random: () => (drawn++ % 2 === 0 ? 0.4 : 0.6) },
      (request, response) => void response.writeHead(request.url === "/bad" ? 500 : 200).end(),
    );
    for (const path of ["/1", "/2", "/3", "/bad", "/bad"]) await ask(port, { path });
    expect((await next(4)).map(({ target }) => target)).toEqual(["/1", "/3", "/bad", "/bad"]);
  });

  test("is written to its end when a server stops", async () => {
    const { lines, write } = taken();
    const { port, serving } = await served({ inbound: { accessLog: { write } } });
    await ask(port);
    await serving.stop();
    expect(lines).toHaveLength(1);
  });

  test.each<[kind: string, write: (lines: string) => void | Promise<void>]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
    ["hangs", () => new Promise(() => {})],
  ])("holds no request up where the program's function %s", async (_kind, write) => {
    const { port, guard } = await guarded({ accessLog: { write } });
    for (let count = 0; count < 20; count++) expect((await ask(port)).status).toBe(200);
    await guard.close();
  });
});

test("a request that was answered before it came to the middleware is let pass, and its end is seen", async () => {
  const { write, next } = taken();
  const { guard, server, port } = await guarded({ accessLog: { write }, rateLimit: { perSecond: 0.1, burst: 1 } });
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    response.end("before");
    guard(request, response, () => {});
  });
  expect([(await ask(port)).text, (await ask(port)).text]).toEqual(["before", "before"]);
  expect(await next(2)).toMatchObject([{ status: 200 }, { status: 200 }]);
});
