import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin } from "../../src/admin/admin.ts";
import { createMesh, staticDiscovery } from "../../src/index.ts";
import { until } from "../support/until.ts";
import { type CliResult, runCli, startCli } from "./run-cli.ts";
import { type ToyInstance, toyInstance } from "./toy-instance.ts";

/** Sets the title, clears the screen, writes to the clipboard, begins a line of its own, turns the direction round, hides itself. */
const evil =
  "evil\u001b]0;t\u0007\u001b[2J\u009b31m\u001b]52;c;aGk=\u001b\\\r\nFORGED\nFORGED\u2028FORGED\u2029\u202e\u2066\u200b\ufeff\u{e0041}";

let directory: string;
let consul: ToyInstance;
let eureka: ToyInstance;
let process_: ToyInstance;
let refusing: ToyInstance;

/** Expects an output without anything of {@link evil} that a terminal obeys, line breaks included. */
function expectHarmless({ stdout, stderr }: Pick<CliResult, "stdout" | "stderr">, name: string): void {
  for (const text of [stdout, stderr]) {
    // Colours, the line of progress and the second screen are the command's own.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences that the command writes
    const own = /\u001b\[(?:\d{1,2}m|K|H|J|0J|\?(?:1049|25|7)[hl])|\r(?=\u001b\[K|\n)/g;
    const rest = text.replace(own, "");
    expect(rest, name).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
    expect(rest, name).not.toMatch(/^\s*FORGED/m);
  }
}

const consulAnswers: RequestListener = (request, response) => {
  const { pathname } = new URL(request.url ?? "", "http://x");
  const answer = (body: unknown, status = 200): void => {
    response
      .writeHead(status, { "content-type": "application/json", "x-consul-index": "7", "x-consul-knownleader": "true" })
      .end(JSON.stringify(body));
  };
  if (pathname === "/v1/catalog/services") return answer({ [evil]: [evil], orders: [] });
  if (pathname === "/v1/status/leader") return answer("127.0.0.1:8300");
  if (pathname === "/v1/acl/token/self") return answer({ Description: evil, Policies: [{ Name: evil }] });
  if (pathname === "/v1/internal/acl/authorize") return answer([{ Allow: true }, { Allow: false }, { Allow: true }]);
  if (pathname !== "/v1/health/service/orders") return void response.writeHead(500).end(evil);
  // An id with control characters is refused by discovery; one that only looks like another is not.
  const entry = (node: string, id: string, port: number, address: string) => ({
    Node: { Node: node, Address: "127.0.0.1", Datacenter: evil, Meta: { zone: evil } },
    Service: { ID: id, Service: "orders", Address: address, Port: port, Meta: { note: evil, [evil]: "x", zone: evil }, Tags: [evil] },
    Checks: [{ Status: "passing", Output: evil }],
  });
  // The second call hangs until the test is over, as a blocking query does.
  if (new URL(request.url ?? "", "http://x").searchParams.has("index")) return;
  return answer([
    entry("n\u202e", "a\u200b", 4001, "127.0.0.1"),
    entry(evil, "b", 4002, "127.0.0.1"),
    entry("n", "c", 4003, evil),
    entry("n", "d", -1, "127.0.0.1"),
  ]);
};

const eurekaAnswers: RequestListener = (request, response) => {
  if (request.url?.includes("broken") === true) return void response.writeHead(500, { "x-evil": "1" }).end(evil);
  const instance = {
    instanceId: "a\u202e",
    hostName: evil,
    app: "ORDERS",
    ipAddr: "127.0.0.1",
    status: "UP",
    port: { $: 4001, "@enabled": "true" },
    dataCenterInfo: { name: "MyOwn" },
    metadata: { note: evil, zone: evil },
  };
  const application = { name: "ORDERS", instance: [instance, { ...instance, instanceId: evil, port: { $: -1, "@enabled": "true" } }] };
  const isOne = /apps\/orders/i.test(request.url ?? "");
  response
    .writeHead(200, { "content-type": "application/json" })
    .end(JSON.stringify(isOne ? { application } : { applications: { application: [application, { name: evil, instance: [] }] } }));
};

/** Every text in a value replaced by {@link evil}, but for keys. */
function poisoned(value: unknown): unknown {
  if (typeof value === "string") return evil;
  if (Array.isArray(value)) return value.map(poisoned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, poisoned(each)]));
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-cli-"));
  consul = await toyInstance(consulAnswers);
  eureka = await toyInstance(eurekaAnswers);
  const mesh = createMesh({ discovery: staticDiscovery({ shop: [{ host: "127.0.0.1", port: 1 }] }) });
  const page = await admin(mesh, { port: 0 });
  await mesh.fetch("shop/").catch(() => {});
  const read = async (path: string) => poisoned(await (await fetch(`${page.url}${path}`)).json());
  const [all, one] = [
    JSON.stringify(await read("api/mesh")),
    JSON.stringify({ ...((await read("api/services/shop")) as object), discoveryError: evil }),
  ];
  await mesh.close();
  expect(one).toContain("endpointRows");
  process_ = await toyInstance((request, response) => {
    if (request.url === "/api/events") response.writeHead(200, { "content-type": "text/event-stream" }).write(`data: ${all}\n\n`);
    else response.end(request.url === "/api/mesh" ? all : one);
  });
  refusing = await toyInstance((_, response) => response.writeHead(503).end(JSON.stringify({ error: evil })));
  await writeFile(
    join(directory, "list.json"),
    JSON.stringify({
      orders: [
        { id: "a\u202e", host: "127.0.0.1", port: 4001, metadata: { [evil]: evil } },
        { id: evil, host: "127.0.0.1", port: 4001, zone: evil },
        { id: "b", host: evil, port: 4002 },
      ],
      [evil]: [],
    }),
  );
  await writeFile(join(directory, "broken.json"), `{"orders": ${evil}`);
  await writeFile(join(directory, "broken.yaml"), `orders: [${evil}`);
});
afterAll(async () => {
  for (const each of [consul, eureka, process_, refusing]) await each?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe("what comes from outside", () => {
  const sources: readonly (readonly [name: string, args: () => readonly string[]])[] = [
    ["consul", () => ["--consul", consul.url]],
    ["eureka", () => ["--eureka", `${eureka.url}/eureka`]],
    ["a broken eureka", () => ["--eureka", `${eureka.url}/broken`]],
    ["a file", () => ["--file", join(directory, "list.json")]],
    ["broken JSON", () => ["--file", join(directory, "broken.json")]],
    ["broken YAML", () => ["--file", join(directory, "broken.yaml")]],
    ["the command line", () => ["--static", `orders=127.0.0.1:1`, "--static", `${evil}=127.0.0.1:1`]],
  ];
  const commands = [
    ["services"],
    ["endpoints", "orders"],
    ["endpoints", "other"],
    ["explain", "orders"],
    ["watch", "orders", "--for", "300ms"],
    ["check", "orders"],
    ["check"],
    ["fetch", "orders/", "-v", "--no-retry", "--timeout", "300ms"],
    ["endpoints", evil],
  ];
  const cases = sources.flatMap(([name, source]) =>
    commands.map((command) => ({ name: `${command.join(" ").slice(0, 20)} of ${name}`, command, source })),
  );

  it.each(cases)("is shown by $name, and obeyed by no terminal", async ({ name, command, source }) => {
    for (const format of ["table", "wide", "json"]) {
      const result = await runCli([...command, ...source(), "-o", format], { isTerminal: format === "wide" });
      expect(result.stdout + result.stderr).not.toBe("");
      expectHarmless(result, name);
    }
  });

  it("is really shown, so that something was escaped", async () => {
    const shown = [
      await runCli(["services", "--consul", consul.url]),
      await runCli(["endpoints", "orders", "--consul", consul.url, "-o", "wide"]),
      await runCli(["check", "orders", "--consul", consul.url], { env: { CONSUL_HTTP_TOKEN: "a-token" } }),
      await runCli(["stat", "--admin", process_.url, "-o", "wide"]),
      await runCli(["stat", "shop", "--admin", process_.url, "-o", "wide"]),
      await runCli(["stat", "--admin", refusing.url]),
    ];
    for (const result of shown) {
      expect(result.stdout + result.stderr).toMatch(/evil\\u(?:\{1b\}|001b)\]0;t/);
      expectHarmless(result, "");
    }
  });

  it("is escaped in the JSON and the lines of a running process", async () => {
    for (const args of [["stat"], ["stat", "shop"]])
      for (const format of ["table", "json"])
        expectHarmless(await runCli([...args, "--admin", process_.url, "-o", format]), args.join(" "));
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
    const top = startCli(["top", "--admin", process_.url], { isTerminal: true, stdin });
    await until("two pictures", () => top.stdout().split("\u001b[H").length > 2, 10_000);
    stdin.write("q");
    expectHarmless(await top.ended, "top");
    expect(top.stdout()).toContain("evil\\u{1b}]0;t");
  });

  it("gives the terminal back when a process says what makes no sense", async () => {
    await using senseless = await toyInstance((_, response) => response.end('{"version":1,"process":{},"services":[{}]}'));
    const modes: boolean[] = [];
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (isRaw: boolean) => modes.push(isRaw) });
    const { code, stdout } = await runCli(["top", "--admin", senseless.url], { isTerminal: true, stdin });
    expect({ code, modes }).toEqual({ code: 1, modes: [true, false] });
    expect(stdout.endsWith("\u001b[?7h\u001b[?25h\u001b[?1049l")).toBe(true);
    expect((await runCli(["stat", "--admin", senseless.url])).code).toBe(1);
  });

  it("is written as it is where it is the body of a response, and nowhere else", async () => {
    await using instance = await toyInstance((request) => {
      const head = `HTTP/1.1 200 O\u009b31mK\r\nx-evil: \u009b2J\u0085\r\nconnection: close\r\n`;
      request.socket.end(
        Buffer.from(request.url === "/broken" ? `HTTP/9 ${evil}` : `${head}\r\n${evil}`, request.url === "/broken" ? "utf8" : "latin1"),
      );
    });
    const target = (path: string, ...args: readonly string[]) =>
      runCli(["fetch", `shop${path}`, "--static", `shop=127.0.0.1:${instance.port}`, "--no-retry", ...args]);
    for (const format of ["-i", "-v"]) {
      const { stdout, stderr } = await target("/", format);
      expect(stdout).toContain("\u001b]0;t");
      expectHarmless({ stdout: stdout.slice(0, stdout.indexOf("evil\u001b")), stderr }, format);
    }
    expectHarmless(await target("/", "-o", "json"), "json");
    expectHarmless(await target("/broken", "-v"), "broken");
    expectHarmless(await target("/broken", "-o", "json"), "broken");
    expectHarmless(await target(`/${evil}?${evil}`, "-v"), "target");
    expectHarmless(await target("/", "-X", evil, "-H", `x: ${evil}`), "method");
  });

  it("is escaped where it comes from the command line and goes back to it", async () => {
    for (const argv of [
      [evil],
      ["help", evil],
      ["services", `--${evil}`],
      ["services", "-o", evil],
      ["demo", "--seconds", evil],
      ["fetch", evil],
    ])
      expectHarmless(await runCli(argv), argv.join(" "));
    expectHarmless(await runCli(["check", "--static", "a=127.0.0.1:1", "--tls-cert", join(directory, evil)]), "check");
    expectHarmless(await runCli(["assets", "--out", join(directory, evil)]), "assets");
  });
});
