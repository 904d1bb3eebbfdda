import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../support/until.ts";
import { runCli, startCli } from "../run-cli.ts";
import { type ToyInstance, toyInstance } from "../toy-instance.ts";

let directory: string;
let instance: ToyInstance;
/** An address without a listener. */
const nobody = "127.0.0.1:1";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-cli-"));
  let flaky = 0;
  instance = await toyInstance((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://x");
    if (pathname === "/flaky" && flaky++ % 2 === 0) response.writeHead(503).end("not now");
    else if (/^\/\d{3}$/.test(pathname)) response.writeHead(Number(pathname.slice(1))).end("as you wish");
    else if (pathname === "/hang") request.resume();
    else if (pathname === "/cut") {
      response.setHeader("content-length", "100");
      response.write("a part", () => response.destroy());
    } else if (pathname === "/endless") response.write("first");
    else if (pathname === "/binary") response.end(Buffer.from([0x50, 0, 0xff, 0xfe]));
    else if (pathname === "/hostile")
      // As bytes: Node sends no such header, and its parser takes it.
      request.socket.end(
        Buffer.from(
          "HTTP/1.1 200 O\u009b31mK\r\nx-evil: \u009b2J\u0085owned\r\ncontent-length: 13\r\nconnection: close\r\n\r\n\u001b[31mas it is",
          "latin1",
        ),
      );
    else if (pathname === "/moved") response.writeHead(302, { location: "/echo" }).end();
    else {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        response.setHeader("content-type", "application/json");
        response.end(
          JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() }),
        );
      });
    }
  });
});
afterAll(async () => {
  await instance[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const fetchIt = (target: string, ...args: readonly string[]) =>
  runCli(["fetch", target, "--static", `shop=127.0.0.1:${instance.port}`, ...args]);
const echoOf = async (...args: readonly string[]) =>
  JSON.parse((await fetchIt("shop/echo", ...args)).stdout) as Record<string, string> & { headers: Record<string, string> };

describe("inmesh fetch --trace", () => {
  it("shows the decision for each attempt, with the candidates and the reason", async () => {
    const { code, stdout, stderr } = await fetchIt("shop/flaky?secret=canary", "--trace");
    expect({ code, isBody: stdout.length > 0 }).toEqual({ code: 0, isBody: true });
    expect(stderr).not.toContain("canary");
    const own = `127\\.0\\.0\\.1:${instance.port}`;
    expect(stderr).toMatch(new RegExp(`^attempt 1 at [\\d.]+ ms: ${own}, 503 after [\\d.]+ ms; the only candidate$`, "m"));
    expect(stderr).toMatch(new RegExp(`^attempt 2 \\(retry\\) at [\\d.]+ ms: ${own}, 200 after`, "m"));
    expect(stderr).toMatch(new RegExp(`^→ +${own} +available +0 +cost`, "m"));
  });

  it("shows it where the call failed, and as a part of the JSON", async () => {
    const gone = await runCli(["fetch", "gone/", "--static", `gone=${nobody}`, "--trace", "--no-retry"]);
    expect(gone.code).toBe(6);
    expect(gone.stderr).toContain("ERR_MESH_CONNECT after");
    const { stdout, stderr } = await fetchIt("shop/echo", "--trace", "-o", "json");
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ trace: { sampled: false, decisions: [{ kind: "first", result: { status: 200 } }] } });
    expect(JSON.parse((await fetchIt("shop/echo", "-o", "json")).stdout)).not.toHaveProperty("trace");
    const none = await runCli(["fetch", "shop/", "--static", "other=127.0.0.1:1", "--trace", "--timeout", "300ms"]);
    expect(none.stderr).toContain("no instance was asked");
  });
});

describe("inmesh fetch", () => {
  it("writes the body and nothing else", async () => {
    expect(await fetchIt("shop/200")).toEqual({ code: 0, stdout: "as you wish", stderr: "" });
    expect(await fetchIt("shop/hostile")).toMatchObject({ stdout: "\u001b[31mas it is" });
  });

  it("sends what curl would: method, headers, data", async () => {
    expect(await echoOf("-H", "X-One: 1", "-H", "x-two:2")).toMatchObject({
      method: "GET",
      url: "/echo",
      body: "",
      headers: { "x-one": "1", "x-two": "2" },
    });
    expect(await echoOf("-d", "a=1", "-d", "b=2")).toMatchObject({
      method: "POST",
      body: "a=1&b=2",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    const file = join(directory, "body.json");
    await writeFile(file, '{"apple":1}\n');
    expect(await echoOf("-X", "PUT", "-H", "content-type: application/json", "-d", `@${file}`)).toMatchObject({
      method: "PUT",
      body: '{"apple":1}\n',
      headers: { "content-type": "application/json" },
    });
    const piped = await runCli(["fetch", "shop/echo", "-d", "@-", "--static", `shop=127.0.0.1:${instance.port}`], {
      stdin: Readable.from(["from ", Buffer.from("stdin")]),
    });
    expect(JSON.parse(piped.stdout)).toMatchObject({ body: "from stdin" });
  });

  it("writes the head in front with -i, and follows redirects with -L alone", async () => {
    const { stdout } = await fetchIt("shop/moved", "-i");
    expect(stdout).toMatch(/^HTTP 302 Found\n(?:[a-z-]+: .*\n)+\n$/);
    expect(stdout).toContain("location: /echo\n");
    expect(JSON.parse((await fetchIt("shop/moved", "-L")).stdout)).toMatchObject({ url: "/echo" });
  });

  it.each([
    ["200", 0],
    ["302", 0],
    ["404", 4],
    ["500", 5],
  ])("ends on status %s with %i", async (status, code) => {
    expect((await fetchIt(`shop/${status}`)).code).toBe(code);
  });

  it("ends with 6 when certainly nothing was executed, with 7 when something may have been", async () => {
    const refused = await runCli(["fetch", "shop/", "--static", `shop=${nobody}`]);
    expect(refused).toMatchObject({ code: 6, stdout: "", stderr: expect.stringContaining("(it was certainly not executed)") });
    expect((await runCli(["fetch", "payments/", "--static", `shop=${nobody}`])).code).toBe(6);
    const hanging = await fetchIt("shop/hang", "-X", "POST", "--timeout", "200ms");
    expect(hanging).toMatchObject({ code: 7, stderr: expect.stringContaining("(it may have been executed)") });
    expect(await fetchIt("shop/cut")).toMatchObject({ code: 7, stdout: "a part" });
  });

  it("fails as soon as discovery does, instead of waiting whether it recovers", { timeout: 4_000 }, async () => {
    const { code, stderr } = await runCli(["fetch", "shop/", "--consul", `http://${nobody}`, "--timeout", "1h"]);
    expect({ code, stderr }).toEqual({ code: 6, stderr: expect.stringContaining('"shop" has no endpoints') });
    expect(stderr).toContain("ECONNREFUSED");
  });

  it("shows with -v, on stderr, what was looked up, each attempt and why another followed", async () => {
    const { code, stdout, stderr } = await fetchIt("shop/flaky", "-v");
    expect({ code, stdout: JSON.parse(stdout).url }).toEqual({ code: 0, stdout: "/flaky" });
    const address = `127.0.0.1:${instance.port}`;
    const expected = [
      /^> GET \/flaky of shop$/,
      /^\* static list answered after .* ms: 1 endpoint of shop$/,
      new RegExp(`^\\* attempt 1: ${address}$`),
      /^\* attempt 1: status 503 after .* ms$/,
      /^\* another attempt in .* ms, because of 503$/,
      new RegExp(`^\\* attempt 2: ${address}$`),
      /^\* 2 attempts, .* ms in all$/,
      /^< HTTP 200 OK$/,
      /^< content-type: application\/json$/,
    ];
    const lines = stderr.split("\n");
    for (const pattern of expected)
      expect(
        lines.some((line) => pattern.test(line)),
        `${pattern} in\n${stderr}`,
      ).toBe(true);
    const post = await fetchIt("shop/hang", "-v", "-X", "POST", "--attempt-timeout", "100ms");
    expect(post.stderr).toContain("* no other attempt: it may have been executed");
    expect((await fetchIt("shop/503", "-v", "--no-retry")).stderr).not.toContain("another attempt");
  });

  it("writes the outcome as JSON, be it an answer or a failure", async () => {
    const answered = await fetchIt("shop/404?secret=canary", "-o", "json");
    expect(answered).toMatchObject({ code: 4, stderr: "" });
    expect(JSON.parse(answered.stdout)).toEqual({
      target: "shop/404?[hidden]",
      method: "GET",
      response: {
        status: 404,
        statusText: "Not Found",
        headers: expect.arrayContaining([["connection", "keep-alive"]]),
        body: "as you wish",
        bodyEncoding: "utf8",
      },
      error: null,
      attempts: [expect.objectContaining({ endpoint: `127.0.0.1:${instance.port}`, phase: "body", status: 404 })],
      ms: expect.any(Number),
    });
    const failed = await runCli(["fetch", "shop/", "--static", `shop=${nobody}`, "-o", "json", "--no-retry"]);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      response: null,
      error: { code: "ERR_MESH_CONNECT", maybeExecuted: false },
      attempts: [{ phase: "connect", code: "ECONNREFUSED", maybeExecuted: false }],
    });
    expect(JSON.parse((await fetchIt("shop/binary", "-o", "json")).stdout)).toMatchObject({
      response: { body: "UAD//g==", bodyEncoding: "base64" },
    });
    expect(JSON.parse((await fetchIt("shop/cut", "-o", "json")).stdout)).toMatchObject({
      response: { status: 200, body: null },
      error: { code: "ERR_MESH_BODY", maybeExecuted: true },
    });
  });

  it("escapes what an instance puts into its headers", async () => {
    const { stderr, stdout } = await fetchIt("shop/hostile", "-v", "-i");
    expect(stderr).toContain("x-evil: \\u{9b}2J\\u{85}owned");
    expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
    expect(stdout.split("\n\n")[0]).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it("keeps a binary body from a terminal, unless it is told to", async () => {
    const args = ["fetch", "shop/binary", "--static", `shop=127.0.0.1:${instance.port}`];
    const kept = await runCli(args, { isTerminal: true });
    expect(kept).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining("binary") });
    expect((await runCli([...args, "--binary"], { isTerminal: true })).stdout).toContain("P\0");
    expect((await fetchIt("shop/binary")).stdout).toContain("P\0");
  });

  it("shows neither a query nor the credentials of a request", async () => {
    const canary = "canary-4711";
    const { stderr } = await fetchIt(
      `shop/echo?token=${canary}`,
      "-v",
      "-H",
      `authorization: Bearer ${canary}`,
      "-H",
      `Cookie: s=${canary}`,
      "-H",
      `x-api-key: ${canary}`,
    );
    expect(stderr).toContain("> GET /echo?[hidden] of shop");
    expect(stderr).toContain("> authorization: [hidden]");
    expect(stderr).not.toContain(canary);
    for (const target of [`a@b/?token=${canary}`, `shop/../?token=${canary}`, `shop/\u001b?token=${canary}`]) {
      const refused = await fetchIt(target, "-v", "-o", "json");
      expect(refused.code).toBe(2);
      expect(refused.stderr + refused.stdout).not.toContain(canary);
    }
    const header = await fetchIt("shop/", "-H", `authorization\u0000: ${canary}`);
    expect(header.code).toBe(2);
    expect(header.stderr).not.toContain(canary);
  });

  it.each([
    [["-X", "GE T"], "method"],
    [["-H", "nothing"], "--header must be"],
    [["--timeout", "-1"], "--timeout"],
    [["--timeout=never"], "--timeout must be a time"],
    [["--protocol", "h3"], "--protocol must be one of h1, h2, auto"],
  ])("does not understand %j", async (args, message) => {
    const { code, stderr } = await fetchIt("shop/", ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it("stops at once when it is told to, in the middle of a body", async () => {
    const ending = new AbortController();
    const running = startCli(["fetch", "shop/endless", "--static", `shop=127.0.0.1:${instance.port}`], { signal: ending.signal });
    await until("the body begins", () => running.stdout() === "first");
    ending.abort("SIGINT");
    expect(await running.ended).toEqual({ code: 130, stdout: "first", stderr: "" });
  });
});
