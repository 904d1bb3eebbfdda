import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { routeFile } from "../../envoy/files.ts";
import { available, requireServer } from "../../servers/available.ts";
import { bindEnvironment } from "../../servers/bind-files.ts";
import { runCli } from "../run-cli.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "inmesh-parity-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** nginx with its libraries, which are not installed in the system. */
async function program(folder: string): Promise<string> {
  const root = requireServer("nginx");
  const { LD_LIBRARY_PATH } = await bindEnvironment(root);
  const path = join(folder, "nginx");
  writeFileSync(path, `#!/bin/sh\nLD_LIBRARY_PATH=${LD_LIBRARY_PATH} exec ${join(root, "usr", "sbin", "nginx")} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

const text = `upstream app { server app.internal:8080 weight=2; server 10.0.0.2; }
server { listen 443 ssl; ssl_certificate /x.pem; ssl_certificate_key /y.pem; server_name shop.example;
  location / { proxy_pass http://app; proxy_set_header X-A b; } location /api/ { proxy_pass https://10.0.0.3:8443/v2/; } location ~ ^/u/(\\d+)$ { return 403; } }
server { listen 80; return 301 https://$host$request_uri; }`;

describe.skipIf(!available("nginx"))("inmesh parity", () => {
  test("finds no difference in a file that both take alike, whatever addresses it has", async () => {
    const folder = newFolder();
    const file = join(folder, "site.conf");
    writeFileSync(file, text);
    const { code, stdout, stderr } = await runCli(["parity", file, "--nginx", await program(folder), "--times", "3"]);
    expect({ code, stdout, stderr }).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringMatching(/^\d+ requests, each 3 times: no difference\n$/),
    });
  });

  test("prints what differs", async () => {
    const folder = newFolder();
    const file = join(folder, "site.conf");
    writeFileSync(file, "server { listen 80; location /admin { return 403; } location / { proxy_pass http://10.0.0.1; } }");
    const args = ["parity", file, "--nginx", await program(folder), "--request", "http://x.example/%61dmin", "-o", "json"];
    const { code, stdout } = await runCli(args);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 1,
      requests: 1,
      differences: [{ request: "GET http://x.example/%61dmin", nginx: "403", inmesh: "200, 10.0.0.1 GET /%61dmin" }],
    });
  });

  test("says what is missing", async () => {
    const folder = newFolder();
    const file = join(folder, "site.conf");
    writeFileSync(file, text);
    expect(await runCli(["parity", file, "--nginx", join(folder, "none")])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ENOENT"),
    });
    expect((await runCli(["parity", file, "--times", "0"])).code).toBe(2);
    expect((await runCli(["parity", file, "--request", "x"])).code).toBe(2);
  });
});

describe.skipIf(!available("envoy"))("inmesh parity of a file of Envoy", () => {
  const withRoutes = (routes: string): string =>
    routeFile(routes)
      .replaceAll("127.0.0.1, port_value: 9 ", "one.internal, port_value: 443 ")
      .replace("name: one,", "name: one, type: STRICT_DNS,");

  test("finds no difference in what both take alike, whatever addresses it has", async () => {
    const file = join(newFolder(), "envoy.yaml");
    writeFileSync(
      file,
      withRoutes(
        '{ match: { prefix: "/api", headers: [{ name: x-a, string_match: { exact: b } }] }, route: { cluster: one, prefix_rewrite: "/v1" } }, { match: { prefix: "/old" }, redirect: { host_redirect: new.example } }, { match: { prefix: "/" }, route: { cluster: two } }',
      ),
    );
    const { code, stdout, stderr } = await runCli(["parity", file, "--envoy", join(requireServer("envoy"), "envoy"), "--times", "2"]);
    expect({ code, stdout, stderr }).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringMatching(/^\d+ requests, each 2 times: no difference\n$/),
    });
  });

  test("prints what differs", async () => {
    const file = join(newFolder(), "envoy.yaml");
    writeFileSync(file, withRoutes('{ match: { prefix: "/api" }, route: { cluster: one, prefix_rewrite: "/" } }'));
    const args = [
      "parity",
      file,
      "--envoy",
      join(requireServer("envoy"), "envoy"),
      "--request",
      "http://x.example/api/users",
      "-o",
      "json",
    ];
    const { code, stdout } = await runCli(args);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 1,
      differences: [{ request: "GET http://x.example/api/users", envoy: "200, one GET //users", inmesh: expect.stringMatching(/^50\d$/) }],
    });
  });
});
