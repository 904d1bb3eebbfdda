import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
// Loaded here, and not within the time of the first test.
import "../../../src/cli/commands/gateway.ts";
import { tableFile } from "../../envoy/files.ts";
import { Authority } from "../../support/authority.ts";
import { exchange } from "../../support/gateway.ts";
import { closedPort, serve } from "../../support/servers.ts";
import { runCli, startCli } from "../run-cli.ts";

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "inmesh-gateway-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  return folder;
}

/** Starts the command, and resolves with its address once it listens. */
async function started(
  ...args: readonly string[]
): Promise<{ readonly url: string; readonly stderr: () => string; stop(): Promise<number> }> {
  const ending = new AbortController();
  const running = startCli(["gateway", ...args], { signal: ending.signal });
  const stop = async (): Promise<number> => {
    ending.abort("SIGTERM");
    return (await running.ended).code;
  };
  onTestFinished(async () => void (await stop()));
  const address = /at (https?:\/\/\S+)/;
  await expect.poll(() => address.exec(running.stderr())?.[1] ?? running.stderr(), { timeout: 60_000 }).toMatch(/^http/);
  return { url: address.exec(running.stderr())?.[1] as string, stderr: running.stderr, stop };
}

describe("inmesh gateway", { timeout: 90_000 }, () => {
  test("answers by a file of nginx that is as it is", async () => {
    const instances = await Promise.all([
      serve((_request, response) => response.end("one")),
      serve((_request, response) => response.end("two")),
    ]);
    const text = `upstream myservice {
    server 127.0.0.1:${instances[0].port} weight=5;
    server 127.0.0.1:${instances[1].port} weight=5;
}

server {
    listen 80;

    location / {
        proxy_pass http://myservice;
    }
}
`;
    const file = join(folderWith({ "nginx.conf": text }), "nginx.conf");
    const { url, stop } = await started(file, "--listen", "127.0.0.1:0");
    const answers = new Set<string>();
    for (let call = 0; call < 4; call++) answers.add(await (await fetch(`${url}/x`)).text());
    expect(answers).toEqual(new Set(["one", "two"]));
    expect(await stop()).toBe(143);
  });

  test("answers by a configuration with routes and demands on their requests, over TLS", async () => {
    const instance = await serve((request, response) => response.end(`${request.url} ${request.headers["x-forwarded-proto"]}`));
    const authority = await Authority.create("outside");
    const { chain, key } = await authority.issue({ dnsNames: ["localhost"] });
    const text = `
discovery: { static: { orders: [{ host: 127.0.0.1, port: ${instance.port} }] } }
routes:
  - { name: orders, match: { path: { prefix: /orders } }, to: orders }
gateway:
  via: edge
  listen: { port: 0, certificates: [{ cert: shop.crt, key: shop.key }] }
  rules:
    orders: { rateLimit: { perSecond: 0.01, burst: 1 } }
`;
    const file = join(folderWith({ "mesh.yaml": text, "shop.crt": chain, "shop.key": key }), "mesh.yaml");
    const { url } = await started(file);
    const { Agent, fetch: undiciFetch } = await import("undici");
    const dispatcher = new Agent({ connect: { ca: authority.certificate, servername: "localhost" } });
    onTestFinished(() => dispatcher.close());
    const call = (path: string) => undiciFetch(`${url}${path}`, { dispatcher });
    expect(await (await call("/orders/1")).text()).toBe("/orders/1 https");
    expect((await call("/orders/1")).status).toBe(429);
    expect((await call("/other")).status).toBe(404);
  });

  test("ends with 1 and the place of what is wrong in the file", async () => {
    const file = join(folderWith({ "mesh.yaml": "discovery: consul\ngateway: { rules: { a: { jwt: {} } } }\n" }), "mesh.yaml");
    const wrong = await runCli(["gateway", file]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/mesh\.yaml:2:\d+: gateway\.rules\.a\.jwt: issuer is missing/);
    expect((await runCli(["gateway", file, "--listen", "nowhere"])).code).toBe(1);
  });

  test("follows its file: a change is in force as a whole, and a wrong one changes nothing", async () => {
    const held: ServerResponse[] = [];
    const [one, two] = await Promise.all([
      serve((request, response) => (request.url === "/held" ? held.push(response) : response.end("one"))),
      serve((_request, response) => response.end("two")),
    ]);
    const textOf = (port: number, more = ""): string =>
      `upstream web { server 127.0.0.1:${port}; }\nserver { listen 80; location / { proxy_pass http://web; } ${more} }\n`;
    const folder = folderWith({ "nginx.conf": "include sites/*.conf;\n" });
    mkdirSync(join(folder, "sites"));
    writeFileSync(join(folder, "sites/a.conf"), textOf(one.port));
    const { url, stderr } = await started(join(folder, "nginx.conf"), "--listen", "127.0.0.1:0", "--from", "nginx");
    const underWay = fetch(`${url}/held`);
    await expect.poll(() => held.length, { timeout: 20_000 }).toBe(1);
    writeFileSync(join(folder, "sites/a.conf"), textOf(two.port));
    await expect.poll(async () => await (await fetch(url)).text(), { timeout: 20_000 }).toBe("two");
    held[0]?.end("held");
    expect(await (await underWay).text()).toBe("held");
    expect(stderr()).toContain("has changed and is in force");
    writeFileSync(join(folder, "sites/a.conf"), textOf(one.port, "loction /x { return 404; }"));
    await expect.poll(stderr, { timeout: 20_000 }).toContain("the configuration before stays in force");
    expect(stderr()).toMatch(/a\.conf:2:\d+: loction/);
    expect(await (await fetch(url)).text()).toBe("two");
    // A file that a pattern matches anew.
    writeFileSync(join(folder, "sites/a.conf"), textOf(two.port));
    writeFileSync(join(folder, "sites/b.conf"), "server { listen 80; server_name b.test; location / { return 418; } }\n");
    const status = async (): Promise<string> =>
      (await exchange(Number(new URL(url).port), "GET / HTTP/1.1\r\nhost: b.test\r\nconnection: close\r\n\r\n")).slice(9, 12);
    await expect.poll(status, { timeout: 20_000 }).toBe("418");
  });

  test("listens where a file of Envoy says, and follows it", async () => {
    const instance = await serve((_request, response) => response.end("web"));
    const port = await closedPort();
    const textOf = (prefix: string): string =>
      tableFile(`virtual_hosts: [{ name: all, domains: ["*"], routes: [{ match: { prefix: ${prefix} }, route: { cluster: one } }] }]`, "", {
        listener: port,
        one: instance.port,
      });
    const file = join(folderWith({ "envoy.yaml": textOf("/a") }), "envoy.yaml");
    const { url } = await started(file);
    expect(new URL(url).port).toBe(String(port));
    expect([(await fetch(`${url}/a`)).status, (await fetch(`${url}/b`)).status]).toEqual([200, 404]);
    writeFileSync(file, textOf("/b"));
    await expect.poll(async () => (await fetch(`${url}/b`)).status, { timeout: 20_000 }).toBe(200);
    expect((await fetch(`${url}/a`)).status).toBe(404);
  });
});
