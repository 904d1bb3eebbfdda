import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { fromText } from "../../../src/config/read-config.ts";
import { withSlips } from "../../envoy/files.ts";
import { runCli } from "../run-cli.ts";

function newFile(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "inmesh-import-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const text = "upstream app { server 127.0.0.1:1; server 127.0.0.1:2; }\nserver { listen 80; location / { proxy_pass http://app; } }\n";

describe("inmesh import", () => {
  test("prints a file of nginx as a configuration that createMesh takes, and its notices beside", async () => {
    const { code, stdout, stderr } = await runCli(["import", newFile("nginx.conf", text)]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/nginx\.conf:1:1: upstream: calls with PUT and DELETE are sent again/);
    const options = await fromText(stdout, "printed.yaml");
    expect(options.services?.["app"]).toMatchObject({ breaker: false, timeoutMs: false });
    expect(options.routes).toMatchObject([{ to: { service: "app" } }]);
  });

  test("ends with 1 and the place of what is not supported", async () => {
    const file = newFile("x", `${text}\nserver { listen 81; location / { auth_basic x; return 200; } }`);
    expect(await runCli(["import", file])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(`${file}:4:34: auth_basic:`),
    });
    expect((await runCli(["import", file, "--unsupported", "answer-501"])).code).toBe(0);
  });

  test("asks for the program of a file that it does not recognise", async () => {
    expect(await runCli(["import", newFile("x", "nothing\n")])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("say --from nginx or --from envoy"),
    });
  });

  test("recognises a file of Envoy", async () => {
    const file = newFile(
      "x",
      "static_resources:\n  clusters:\n  - { name: app, type: STATIC, load_assignment: { cluster_name: app, endpoints: [] } }\n",
    );
    expect((await runCli(["import", file])).stdout).toContain("app");
  });
});

describe("inmesh import of a file of Envoy", () => {
  test("prints a configuration that createMesh takes, and its notices beside", async () => {
    const { code, stdout, stderr } = await runCli(["import", newFile("envoy.yaml", withSlips), "--discovery", "consul"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/envoy\.yaml:7:5: Cluster\.http2_protocol: there is no such field/);
    expect(stdout).toMatch(/^discovery: consul\n/);
    const options = await fromText(stdout, "printed.yaml");
    expect(options.services?.["myservice"]).toMatchObject({ protocol: "h2" });
  });

  test("prints the form of v3", async () => {
    const { code, stdout } = await runCli(["import", newFile("envoy.yaml", withSlips), "--v3"]);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/codec_type: HTTP2/) });
    expect(await runCli(["import", newFile("nginx.conf", text), "--v3"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--v3 is for files of Envoy"),
    });
  });
});
