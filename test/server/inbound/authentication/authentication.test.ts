import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type JwtOptions, jwt, type TokenVerifier } from "../../../../src/authentication/jwt.ts";
import { callerOf, serve } from "../../../../src/server/server.ts";
import { issuerKey, sign } from "../../../authentication/keys.ts";
import { ask, askRaw, guarded } from "../served.ts";

const key = issuerKey("one");
const provider = (options: Partial<JwtOptions> = {}) =>
  jwt({ issuer: "https://issuer.test", audience: "orders", jwks: { keys: [key.jwk] }, ...options });

describe("authentication of requests", () => {
  it("lets a request with a token pass, and refuses one without and one that does not hold, before the handler", async () => {
    const seen: unknown[] = [];
    const { port } = await guarded({ authentication: [provider()] }, (request, response) => {
      seen.push(request.url);
      expect(callerOf(request)).toMatchObject({ address: "127.0.0.1", identity: undefined, tokens: [{ subject: "alice" }] });
      response.end("ok");
    });
    const token = await sign(key);
    for (const path of ["/1", "/2"])
      expect(await ask(port, { path, headers: { authorization: `Bearer ${token}` } })).toMatchObject({ status: 200, text: "ok" });
    const missing = await ask(port);
    expect(missing).toMatchObject({ status: 401, text: "a token is needed\n" });
    expect(missing.headers["www-authenticate"]).toBe("Bearer");
    expect(missing.headers["x-mesh-refused"]).toBeUndefined();
    for (const authorization of [`Bearer ${token.slice(0, -8)}AAAAAAAA`, "Bearer", "Bearer x", `Bearer ${token} x`, `bearer,${token}`]) {
      const wrong = await ask(port, { headers: { authorization } });
      expect(wrong).toMatchObject({ status: 401, text: "the token is not valid\n" });
      expect(wrong.headers["www-authenticate"]).toBe('Bearer error="invalid_token"');
    }
    expect(await ask(port, { headers: { authorization: "Basic YTpi" } })).toMatchObject({ status: 401 });
    expect(seen).toEqual(["/1", "/2"]);
  });

  it("refuses a request with two tokens in one place", async () => {
    const { port } = await guarded({ authentication: [provider()] });
    const token = await sign(key);
    const lines = `GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${token}\r\nAuthorization: Bearer x\r\n\r\n`;
    expect(await askRaw(port, lines)).toMatch(/^HTTP\/1.1 401 /);
  });

  it("where a token is optional lets a request without one pass, and refuses one that does not hold or is of nobody known", async () => {
    const { port } = await guarded({ authentication: [provider({ mode: "optional" })] });
    expect((await ask(port)).status).toBe(200);
    expect((await ask(port, { headers: { authorization: "Bearer x.y.z" } })).status).toBe(401);
    const stranger = await sign(key, { iss: "https://other.test", aud: "orders", exp: Date.now() / 1_000 + 60 });
    expect((await ask(port, { headers: { authorization: `Bearer ${stranger}` } })).status).toBe(401);
  });

  it("finds the token only in the place of the options", async () => {
    const token = await sign(key);
    const requests = {
      bearer: { headers: { authorization: `Bearer ${token}` } },
      header: { headers: { "x-token": token } },
      cookie: { headers: { cookie: `a=b; session=${token}` } },
      query: { path: `/?access_token=${token}` },
    };
    const places = {
      bearer: "bearer",
      header: { header: "X-Token" },
      cookie: { cookie: "session" },
      query: { query: "access_token" },
    } as const;
    for (const [kind, place] of Object.entries(places)) {
      const { port } = await guarded({ authentication: [provider({ place })] });
      for (const [other, request] of Object.entries(requests)) expect((await ask(port, request)).status).toBe(other === kind ? 200 : 401);
    }
  });

  it("never logs a token that stands in the query", async () => {
    const lines: string[] = [];
    const { port, guard } = await guarded({
      authentication: [provider({ place: { query: "access_token" } })],
      accessLog: { write: (text) => void lines.push(text) },
    });
    const token = await sign(key);
    await ask(port, { path: `/?access_token=${token}` });
    await ask(port, { path: `/?access_token=${token}x` });
    await guard.close();
    expect(lines.join("")).toContain('"refusedBy":"authentication"');
    expect(lines.join("")).not.toContain(token);
  });

  it("answers 503, and that the request may be sent elsewhere, while no token can be judged", async () => {
    const broken = { name: "own", isRequired: true, place: { kind: "bearer" }, isFor: () => true } as const;
    const throwing: TokenVerifier = { ...broken, verify: () => Promise.reject(new Error("no keys")) };
    const { port } = await guarded({ authentication: [throwing] });
    const answer = await ask(port, { headers: { authorization: "Bearer x" } });
    expect(answer).toMatchObject({ status: 503, text: "tokens cannot be verified now\n" });
    expect(answer.headers["x-mesh-refused"]).toBe("1");
  });

  it("keeps the body of a request whose token is being verified", async () => {
    const { port } = await guarded({ authentication: [provider()] }, (request: IncomingMessage, response) => {
      let body = "";
      request.on("data", (part) => (body += part)).on("end", () => response.end(body));
    });
    const headers = { authorization: `Bearer ${await sign(key)}` };
    expect(await ask(port, { method: "POST", body: "of the request", headers })).toMatchObject({ status: 200, text: "of the request" });
  });

  it("judges upgrades: the honest one is upgraded, the others get 401", async () => {
    const server = createServer();
    const subjects: unknown[] = [];
    server.on("upgrade", (request) => void subjects.push(callerOf(request)?.tokens[0]?.subject));
    server.on("upgrade", (_request, socket) =>
      socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nhello"),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const serving = await serve(server, { signals: [], log: false, lameDuckMs: 0, inbound: { authentication: [provider()] } });
    onTestFinished(async () => void (await serving.stop()));
    const { port } = server.address() as AddressInfo;
    const upgrade = (more: string) => askRaw(port, `GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n${more}\r\n`);
    const token = await sign(key);
    for (const _ of [1, 2]) expect(await upgrade(`authorization: Bearer ${token}\r\n`)).toMatch(/^HTTP\/1.1 101 .*hello$/s);
    expect(subjects).toEqual(["alice", "alice"]);
    const missing = await upgrade("");
    expect(missing).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n/);
    expect(missing).toContain("www-authenticate: Bearer\r\n");
    expect(await upgrade(`authorization: Bearer ${token.slice(0, -8)}AAAAAAAA\r\n`)).toMatch(/^HTTP\/1.1 401 /);
    // One that gives up while it is judged does no harm.
    await new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(
          `GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\nauthorization: Bearer ${token.slice(0, -4)}AAAA\r\n\r\n`,
        );
        socket.resetAndDestroy();
      });
      socket.once("close", () => resolve());
    });
    expect(await upgrade("")).toMatch(/^HTTP\/1.1 401 /);
  });

  it("refuses providers that are none, and two of one name", async () => {
    await expect(guarded({ authentication: [{}] as never })).rejects.toThrow("inbound: authentication must be an array of providers");
    await expect(guarded({ authentication: [provider(), provider()] })).rejects.toThrow("two providers of one name");
  });
});
