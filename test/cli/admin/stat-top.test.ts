import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Admin, admin } from "../../../src/admin/admin.ts";
import type { MeshSnapshot } from "../../../src/admin/snapshot.ts";
import { createMesh, type Mesh, staticDiscovery } from "../../../src/index.ts";
import { until } from "../../support/until.ts";
import { runCli, startCli } from "../run-cli.ts";
import { type ToyInstance, toyInstance } from "../toy-instance.ts";

let instance: ToyInstance;
let mesh: Mesh;
let page: Admin;

beforeEach(async () => {
  instance = await toyInstance((request, response) => {
    response.writeHead(request.url === "/bad" ? 500 : 200).end("hello");
  });
  mesh = createMesh({
    discovery: staticDiscovery({ shop: [{ id: "shop-a", host: "127.0.0.1", port: instance.port }], empty: [] }),
    discoveryTimeoutMs: 50,
  });
  page = await admin(mesh, { port: 0 });
  for (const path of ["/", "/", "/", "/bad"]) await (await mesh.fetch(`shop${path}`)).text();
  await mesh.fetch("empty/").catch(() => {});
});
afterEach(async () => {
  await page.close();
  await mesh.close();
  await instance[Symbol.asyncDispose]();
});

/** A terminal's keyboard. */
function keyboard() {
  const modes: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (isRaw: boolean) => modes.push(isRaw) });
  return { stdin, modes };
}

describe("inmesh stat", () => {
  it("shows a line for each service", async () => {
    // Shares are of whole seconds.
    await until("the second is over", async () => (await runCli(["stat", "--admin", page.url])).stdout.includes("%"));
    const { code, stdout, stderr } = await runCli(["stat", "--admin", page.url]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [head, empty, shop] = stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect(head).toEqual(["SERVICE", "ENDPOINTS", "SUCCESS", "ACTUAL", "RPS", "P50", "P95", "P99", "BUDGET", "BREAKER"]);
    expect(empty?.slice(0, 2)).toEqual(["empty", "0/0"]);
    expect(shop?.slice(0, 4)).toEqual(["shop", "1/1", "75.00%", "75.00%"]);
    expect(shop?.at(-1)).toBe("closed");
  });

  it("reads the address from the environment, and writes the snapshot as it is with -o json", async () => {
    const { stdout } = await runCli(["stat", "-o", "json"], { env: { INMESH_ADMIN: page.url } });
    const snapshot = JSON.parse(stdout) as MeshSnapshot;
    expect(snapshot).toMatchObject({
      version: 1,
      process: { pid: process.pid },
      services: [{ service: "empty" }, { service: "shop", breaker: "closed" }],
    });
  });

  it("shows the endpoints of one service", async () => {
    const { code, stdout } = await runCli(["stat", "shop", "--admin", page.url, "-o", "wide"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`shop-a +127\\.0\\.0\\.1:${instance.port} +available`));
    expect(stdout).toContain("in rotation");
    const [titles, row] =
      stdout
        .split("\n\n")[1]
        ?.split("\n")
        .map((line) => line.split(/ {2,}/)) ?? [];
    const cells = Object.fromEntries(titles?.map((title, index) => [title, row?.[index]]) ?? []);
    expect(cells).toMatchObject({ MEANT: "100.00%", GOT: "100.00%", ATTEMPTS: "4", FAILED: "1 (25 %)", WHY: "in rotation" });
    expect(cells["PICKER"]).toMatch(/^cost [\d.e-]+ = \([\d.e-]+ ms \+ 0 ms waiting\) × load 1 \+ [\d.e-]+ ms for failures/);
    expect(await runCli(["stat", "shopp", "--admin", page.url])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("; did you mean shop?"),
    });
    expect(await runCli(["stat", "nothing", "--admin", page.url])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("has not called"),
    });
  });

  it("shows the worst first, and on a terminal what is well and what is not in its first line", async () => {
    const { stdout } = await runCli(["stat", "--admin", page.url], { isTerminal: true, env: { NO_COLOR: "1" } });
    expect(stdout.split("\n").slice(0, 2)).toEqual([expect.stringMatching(/^(2 failing|1 failing · 1 idle) · registry OK$/), ""]);
    const { stdout: piped } = await runCli(["stat", "--admin", page.url]);
    expect(piped.startsWith("SERVICE ")).toBe(true);
  });

  it("says that the registry fails, and leaves the state of a process out that does not tell it", async () => {
    const good = (await (await fetch(`${page.url}api/mesh`)).json()) as MeshSnapshot;
    let answer: object = { ...good, registry: { state: "failing", services: 1, text: "registry failing for 3 s: connect ECONNREFUSED" } };
    await using server = await toyInstance((_, response) => response.end(JSON.stringify(answer)));
    const failing = await runCli(["stat", "--admin", server.url], { isTerminal: true, env: { NO_COLOR: "1" } });
    expect(failing.stdout.split("\n")[0]).toMatch(/failing .* registry failing for 1 of 2$|^2 failing · registry failing for 1 of 2$/);
    expect(failing.stderr).toBe("registry failing for 3 s: connect ECONNREFUSED\n");
    answer = { ...good, registry: undefined };
    const earlier = await runCli(["stat", "--admin", server.url], { isTerminal: true, env: { NO_COLOR: "1" } });
    expect(earlier).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^(2 failing|1 failing · 1 idle)\n/) });
  });

  it("says what is wrong when there is nothing, something else, or a version it does not know", async () => {
    const gone = await toyInstance(() => {});
    await gone[Symbol.asyncDispose]();
    expect(await runCli(["stat", "--admin", gone.url])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot be reached (connect ECONNREFUSED"),
    });
    expect(await runCli(["stat", "--admin", instance.url])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("its answer is not JSON"),
    });
    await using future = await toyInstance((_, response) => response.end('{"version":2}'));
    expect(await runCli(["stat", "--admin", future.url])).toMatchObject({ code: 1, stderr: expect.stringContaining("speaks version 2") });
    for (const url of ["http://me:canary@127.0.0.1:1", "ftp://x", "nonsense"]) {
      const { code, stderr } = await runCli(["stat", "--admin", url]);
      expect(code).toBe(2);
      expect(stderr).not.toContain("canary");
    }
  });

  it("sends the token of a file, shows it nowhere, and takes it to nobody else", async () => {
    const directory = await mkdtemp(join(tmpdir(), "inmesh-cli-"));
    const token = "canary-token-0123456789";
    await writeFile(join(directory, "token"), `${token}\n`);
    try {
      await using elsewhere = await toyInstance((_, response) => response.end("{}"));
      await using other = await toyInstance((request, response) => {
        const isGood = request.headers.authorization === `Bearer ${token}`;
        if (isGood) response.writeHead(302, { location: elsewhere.url }).end();
        else response.writeHead(401).end(JSON.stringify({ error: `the token is wrong: ${token}` }));
      });
      const good = await runCli(["stat", "--admin", other.url, "--token-file", join(directory, "token")]);
      expect(good.code).toBe(1);
      expect(elsewhere.requests).toEqual([]);
      const none = await runCli(["stat", "--admin", other.url]);
      expect(none.stderr).toContain("answered 401");
      expect(none.stderr).toContain("--token-file");
      expect(good.stderr + good.stdout).not.toContain(token);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe("inmesh top", () => {
  it("takes the screen, follows the process, and gives the terminal back at q", async () => {
    const { stdin, modes } = keyboard();
    const top = startCli(["top", "--admin", page.url], { isTerminal: true, stdin });
    await until("a second picture", () => top.stdout().split("\u001b[H").length > 2, 10_000);
    expect(top.stdout().startsWith("\u001b[?1049h\u001b[?25l")).toBe(true);
    expect(top.stdout()).toContain(`process ${process.pid}`);
    expect(top.stdout()).toContain("registry OK");
    expect(top.stdout()).toContain("shop");
    stdin.write("q");
    expect((await top.ended).code).toBe(0);
    expect(top.stdout().endsWith("\u001b[?7h\u001b[?25h\u001b[?1049l")).toBe(true);
    expect(modes).toEqual([true, false]);
    expect(stdin.listenerCount("data")).toBe(0);
  });

  it("shows the endpoints of one service, once the process has called it", async () => {
    const { stdin } = keyboard();
    const top = startCli(["top", "shop", "--admin", page.url], { isTerminal: true, stdin, columns: 200 });
    await until("the endpoints", () => /shop-a +127\.0\.0\.1:\d+ +available/.test(top.stdout()), 10_000);
    expect(top.stdout()).toMatch(/MEANT +GOT +SUCCESS/);
    stdin.write("q");
    expect((await top.ended).code).toBe(0);
    const other = keyboard();
    const later = startCli(["top", "orders", "--admin", page.url], { isTerminal: true, stdin: other.stdin });
    await until("a picture", () => later.stdout().includes("the process has not called this service yet"), 10_000);
    other.stdin.write("q");
    expect((await later.ended).code).toBe(0);
    const ending = new AbortController();
    const json = startCli(["top", "shop", "--admin", page.url, "-o", "json"], { signal: ending.signal });
    await until("a line", () => json.stdout().includes("\n"), 10_000);
    ending.abort("SIGINT");
    await json.ended;
    expect(JSON.parse(json.stdout().split("\n")[0] as string)).toMatchObject({ service: "shop", endpointRows: [{ id: "shop-a" }] });
  });

  it("shows the endpoints of a service for longer than the limit of the first answers", async () => {
    const ending = new AbortController();
    const top = startCli(["top", "shop", "--admin", page.url, "--timeout", "1s", "-o", "json"], { signal: ending.signal });
    await until("lines of three seconds", () => top.stdout().split("\n").length > 3, 10_000);
    ending.abort("SIGINT");
    await top.ended;
    expect(top.stderr()).not.toContain("trying again");
  });

  it.each([
    ["the key Ctrl-C", (stdin: PassThrough) => stdin.write("\u0003")],
    ["SIGINT", (_: PassThrough, ending: AbortController) => ending.abort("SIGINT")],
  ])("gives the terminal back at %s", async (_name, end) => {
    const { stdin, modes } = keyboard();
    const ending = new AbortController();
    const top = startCli(["top", "--admin", page.url], { isTerminal: true, stdin, signal: ending.signal });
    await until("a picture", () => top.stdout().includes("shop"), 10_000);
    end(stdin, ending);
    expect((await top.ended).code).toBe(130);
    expect(top.stdout().endsWith("\u001b[?1049l")).toBe(true);
    expect(modes).toEqual([true, false]);
  });

  it("waits for a process that restarts", { timeout: 20_000 }, async () => {
    const ending = new AbortController();
    const top = startCli(["top", "--admin", page.url, "-o", "json"], { signal: ending.signal });
    const lines = () => top.stdout().split("\n").length - 1;
    await until("a snapshot", () => lines() > 0, 10_000);
    const { port } = new URL(page.url);
    await page.close();
    await until("it is told", () => top.stderr().includes("trying again"), 10_000);
    const before = lines();
    page = await admin(mesh, { port: Number(port) });
    await until("it goes on", () => lines() > before, 10_000);
    ending.abort("SIGINT");
    expect((await top.ended).code).toBe(130);
    for (const line of top.stdout().trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ version: 1 });
  });

  it("wants a terminal, unless it writes JSON", async () => {
    expect(await runCli(["top", "--admin", page.url])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("top needs a terminal"),
    });
  });

  it("escapes what the process says, and takes no screen for a process that is not there", async () => {
    const evil = (await (await fetch(`${page.url}api/mesh`)).json()) as MeshSnapshot;
    const service = "\u001b[2J\u202eshop";
    await using server = await toyInstance((request, response) => {
      const data = JSON.stringify({ ...evil, services: evil.services.map((row) => ({ ...row, service })) });
      if (request.url === "/api/events") response.writeHead(200, { "content-type": "text/event-stream" }).write(`data: ${data}\n\n`);
      else response.end(data);
    });
    const { stdin } = keyboard();
    const top = startCli(["top", "--admin", server.url], { isTerminal: true, stdin });
    await until("a picture", () => top.stdout().includes("\\u{1b}[2J\\u{202e}shop"));
    stdin.write("q");
    await top.ended;
    expect(top.stdout()).not.toContain("\u001b[2J");
    const absent = await runCli(["top", "--admin", "http://127.0.0.1:1"], { isTerminal: true });
    expect(absent).toMatchObject({ code: 1, stdout: "" });
  });
});
