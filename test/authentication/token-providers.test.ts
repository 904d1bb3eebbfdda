import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { clientCredentials, fileToken } from "../../src/authentication/jwt.ts";

it("a file is read each time, and its token ends when it says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "inmesh-token-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "token");
  const provider = fileToken(path);
  const exp = Math.floor(Date.now() / 1_000) + 20;
  const token = `e30.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.x`;
  writeFileSync(path, `${token}\n`);
  expect(await provider()).toEqual({ token, expiresAtMs: exp * 1_000 });
  writeFileSync(path, "opaque");
  expect(await provider()).toMatchObject({ token: "opaque" });
});

it("client credentials are sent once, to the token endpoint alone, and stand in no error", async () => {
  let answer = Response.json({ access_token: "t", token_type: "Bearer", expires_in: 60 });
  let sent: RequestInit | undefined;
  const ask = (async (_: unknown, init?: RequestInit) => {
    sent = init;
    return answer;
  }) as typeof fetch;
  const provider = clientCredentials({
    url: "https://login.test/token",
    clientId: "me:x",
    clientSecret: "geheim&",
    scope: "read",
    fetch: ask,
  });
  expect(await provider("orders", new AbortController().signal)).toMatchObject({ token: "t" });
  expect(String(sent?.body)).toBe("grant_type=client_credentials&audience=orders&scope=read");
  expect(sent?.redirect).toBe("manual");
  expect(new Headers(sent?.headers).get("authorization")).toBe(`Basic ${Buffer.from("me%3Ax:geheim%26").toString("base64")}`);
  for (const wrong of [new Response("geheim&", { status: 401 }), new Response("geheim&"), Response.json({ token: "geheim&" })]) {
    answer = wrong;
    const error = await provider("orders", new AbortController().signal).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(String((error as Error).stack)).not.toContain("geheim");
  }
  expect(() => clientCredentials({ url: "http://login.test/", clientId: "a", clientSecret: "geheim" })).toThrow(/https/);
});
