import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { jwt } from "../../src/authentication/jwt.ts";
import { TokenRefused } from "../../src/authentication/token-verifier.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { honestClaims, issuerKey, sign } from "../authentication/keys.ts";
import { ask, askRaw, guarded, served } from "../server/inbound/served.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve, serveRaw } from "../support/servers.ts";

const key = issuerKey("one");

describe("keys of an issuer", () => {
  const claims = () => ({ ...honestClaims(), exp: Math.floor(Date.now() / 1_000) + 80_000 });

  function provider(answer: () => Response | Promise<Response>) {
    const asked: { url: string; init: RequestInit | undefined }[] = [];
    const ask = (async (url: unknown, init?: RequestInit) => {
      asked.push({ url: String(url), init });
      return answer();
    }) as typeof fetch;
    const jwks = { url: "https://issuer.test/jwks" };
    return { asked, provider: jwt({ issuer: "https://issuer.test", audience: "orders", jwks, fetch: ask }) };
  }

  it("T36: are asked for once for a flood of ids that nothing knows, and serve on while their source is down", async () => {
    let isDown = false;
    const { asked, provider: tokens } = provider(() => {
      if (isDown) throw new Error("down");
      return Response.json({ keys: [key.jwk] });
    });
    const honest = await sign(key, claims());
    await tokens.verify(honest);
    isDown = true;
    const flood = await Promise.all(Array.from({ length: 200 }, (_, at) => sign(issuerKey("x"), claims(), { kid: `unknown-${at}` })));
    const outcomes = await Promise.all(flood.map((token) => rejectionOf(Promise.resolve(tokens.verify(token)))));
    expect(
      outcomes.every((error) => error instanceof TokenRefused && error.message === "its issuer has no such key for its algorithm"),
    ).toBe(true);
    expect(asked).toHaveLength(1);
    expect(await tokens.verify(await sign(key, { ...claims(), sub: "bob" }))).toMatchObject({ subject: "bob" });
  });

  it("T37: come over TLS from the host of the options: no redirect, no large answer, no other format", async () => {
    for (const url of ["http://issuer.test/jwks", "http://127.0.0.1.evil.test/", "https://user:pw@issuer.test/", "file:///etc/passwd", "x"])
      expect(() => jwt({ issuer: "i", audience: "a", jwks: { url } }), url).toThrow(TypeError);
    const answers: (() => Response)[] = [
      () => new Response(null, { status: 302, headers: { location: "https://evil.test/jwks" } }),
      () => new Response(`{"keys":[${"0,".repeat(200_000)}0]}`),
      () => new Response("<html>"),
      () => Response.json({ keys: { length: 1 } }),
      () => Response.json([key.jwk]),
      () => new Response(null, { status: 500 }),
    ];
    for (const answer of answers) {
      const { asked, provider: tokens } = provider(answer);
      const error = await rejectionOf(Promise.resolve(tokens.verify(await sign(key, claims()))));
      expect((error as Error).message).toBe("the keys of the issuer cannot be had");
      expect(error).not.toBeInstanceOf(TokenRefused);
      expect(asked.map(({ url }) => url)).toEqual(["https://issuer.test/jwks"]);
      expect(asked[0]?.init?.redirect).toBe("manual");
    }
  });

  it("T37: that could be had but are none for signatures verify nothing", async () => {
    const { privateKey: _, ...shared } = key;
    const odd = [
      { ...shared.jwk, use: "enc" },
      { ...shared.jwk, key_ops: ["sign"] },
      { ...shared.jwk, alg: "none" },
      { kty: "oct", k: "AAAA", kid: "one" },
      null,
      1,
    ];
    const { provider: tokens } = provider(() => Response.json({ keys: odd }));
    await expect(tokens.verify(await sign(key, claims()))).rejects.toThrow("its issuer has no such key for its algorithm");
  });
});

describe("headers that a caller makes up", () => {
  const made = [
    "forwarded: for=6.6.6.6;host=evil",
    "X-Forwarded-For: 6.6.6.6",
    "X_Forwarded_For: 6.6.6.6",
    "x-forwarded-client-cert: URI=spiffe://td/admin",
    "X-FORWARDED-CLIENT-CERT: URI=spiffe://td/admin",
    "client-cert: :MIIB:",
    "x-real-ip: 6.6.6.6",
    "x-mesh-identity: spiffe://td/admin",
    "x-original-url: /admin",
    "x-rewrite-url: /admin",
    "l5d-client-id: admin",
  ];

  it("T44: name no identity and no address, in any case and spelling, and are gone before a handler reads them", async () => {
    const handler = (request: IncomingMessage) =>
      JSON.stringify([request.rawHeaders, request.headers, request.headersDistinct]).toLowerCase();
    for (const trust of [{ peers: [] }, { peers: [], identity: "x-forwarded-client-cert" }] as const) {
      const { port } = await guarded(
        { trust, authorization: { policy: { rules: [{ id: "any", action: "allow", to: { paths: ["/"] } }] } } },
        (request, response) => void response.end(handler(request)),
      );
      const answer = await askRaw(port, `GET / HTTP/1.1\r\nhost: a\r\n${made.join("\r\n")}\r\nconnection: close\r\n\r\n`);
      expect(answer).toContain(" 200 ");
      expect(answer).not.toMatch(/6\.6\.6\.6|spiffe|admin|evil|miib/);
    }
    const { port } = await guarded({
      trust: { peers: [], identity: "x-forwarded-client-cert" },
      authorization: { policy: { rules: [{ id: "admin", action: "allow", from: { identities: ["*"] } }] } },
    });
    const refused = await askRaw(port, `GET / HTTP/1.1\r\nhost: a\r\n${made.join("\r\n")}\r\nconnection: close\r\n\r\n`);
    expect(refused.slice(9, 12)).toBe("403");
  });

  it("T44: name no more than the last element, which the proxy that is trusted has written", async () => {
    const { port } = await guarded({
      trust: { identity: "x-forwarded-client-cert" },
      authorization: { policy: { rules: [{ id: "web", action: "allow", from: { identities: ["spiffe://td/web"] } }] } },
    });
    const status = async (value: string | string[]) => (await ask(port, { headers: { "x-forwarded-client-cert": value } })).status;
    expect(await status("URI=spiffe://td/admin,URI=spiffe://td/web")).toBe(200);
    expect(await status("URI=spiffe://td/web,URI=spiffe://td/other")).toBe(403);
    expect(await status('URI="spiffe://td/web,URI=spiffe://td/other')).toBe(403);
    expect(await status(["URI=spiffe://td/other", "URI=spiffe://td/web"])).toBe(403);
    expect(await status("URI=spiffe://td/web;URI=spiffe://td/admin")).toBe(403);
  });

  it("T49: of a trace are read by their grammar and bounded: what is odd is dropped, and none is passed on by itself", async () => {
    const upstream = await serve();
    const mesh = meshOf({ svc: upstream.port });
    const { port } = await served({ mesh, inbound: {} }, (_request, response) => {
      void mesh.fetch("svc/x").then(() => response.end("ok"));
    });
    const odd = ["00-0-0-0", "ff-00000000000000000000000000000000-0000000000000000-01", `00-${"a".repeat(8_000)}`, "\u00ff"];
    for (const traceparent of odd)
      expect((await ask(port, { headers: { traceparent, tracestate: "x".repeat(4_000), baggage: "k=v,".repeat(1_000) } })).status).toBe(
        200,
      );
    const { status } = await ask(port, { headers: { baggage: "k".repeat(1_000_000) } }).catch(() => ({ status: 431 }));
    expect(status).toBe(431);
    for (const { headers } of upstream.seen)
      expect([headers["baggage"], headers["traceparent"], headers["tracestate"]]).toEqual([undefined, undefined, undefined]);
  });

  it("T09: with the names of Object.prototype are headers like any other, and services too", async () => {
    const names = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];
    const raw = await serveRaw((socket) =>
      socket.end("HTTP/1.1 200 OK\r\n__proto__: x\r\nconstructor: y\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
    );
    for (const name of names) {
      const headers = new Headers([[name, "value"]]);
      const mesh = meshOf({ [`${name}`]: raw.port, other: raw.port }, { retry: false });
      const response = await mesh.fetch("other/x", { headers });
      expect([...response.headers].filter(([each]) => each === "__proto__" || each === "constructor")).toHaveLength(2);
      expect(raw.received.at(-1)).toMatch(new RegExp(`\r\n${name}: value\r\n`, "i"));
      expect(await rejectionOf(meshOf({}).fetch(`${name}/x`))).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS", service: name });
      const { port } = await guarded({
        authorization: { policy: { rules: [{ id: "a", action: "allow", to: { headers: [{ name, exact: "value" }] } }] } },
      });
      expect((await ask(port, { headers: { [`${name}`]: "value" } })).status).toBe(200);
      expect((await ask(port)).status).toBe(403);
    }
  });

  it("T38: are compared by digests of one length, where they are a secret", async () => {
    const { createHmac } = await import("node:crypto");
    const secret = Buffer.alloc(32, 1);
    const clock = virtualClock();
    const tokens = jwt({ issuer: "https://issuer.test", audience: "orders", secret, clock });
    const now = Math.floor(clock.wallNow() / 1_000);
    const signed = [{ alg: "HS256" }, honestClaims(now)].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    const mac = createHmac("sha256", secret).update(signed).digest();
    expect(await tokens.verify(`${signed}.${mac.toString("base64url")}`)).toMatchObject({ subject: "alice" });
    for (const wrong of [mac.subarray(0, 31), mac.subarray(0, 1), Buffer.concat([mac, mac]), Buffer.alloc(32)])
      await expect(tokens.verify(`${signed}.${wrong.toString("base64url")}`)).rejects.toThrow("its signature does not hold");
  });
});
