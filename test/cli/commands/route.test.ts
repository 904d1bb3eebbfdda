import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runCli } from "../run-cli.ts";

function newFile(routes: string): string {
  const folder = mkdtempSync(join(tmpdir(), "inmesh-route-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "mesh.yaml");
  writeFileSync(file, `discovery: { consul: { port: 1 } }\nroutes:\n${routes}`);
  return file;
}

const canary = `
  - name: beta
    match: { headers: { x-beta: { present: true } } }
    to: beta
  - match: { path: { prefix: /api } }
    split: { targets: [{ service: orders, weight: 99 }, { service: orders, subset: { version: ^2 }, weight: 1 }], sticky: hashKey }
    rewrite: { prefix: / }
`;

describe("inmesh route", () => {
  test("says which route decides, and why the others do not", async () => {
    const file = newFile(canary);
    expect(await runCli(["route", "shop/api/7", "--config", file])).toEqual({
      code: 0,
      stderr: "",
      stdout: [
        "GET /api/7 of shop",
        "route routes[1] decides",
        "  99 % to orders",
        "  1 % to orders, instances of version ^2 (orders (version ^2))",
        "  path /7",
        "not beta: headers.x-beta is there",
        "",
      ].join("\n"),
    });
    expect((await runCli(["route", "shop/api/7", "-c", file, "-H", "x-beta: 1", "-X", "POST"])).stdout).toBe(
      "POST /api/7 of shop\nroute beta (routes[0]) decides\n  to beta\n",
    );
    expect((await runCli(["route", "shop/api/7", "-c", file, "--hash-key", "u"])).stdout).toContain(": this call");
    expect((await runCli(["route", "shop/x", "-c", file])).stdout).toContain("no route matches: the call goes where it was sent");
  });

  test("writes JSON", async () => {
    const { stdout } = await runCli(["route", "shop/api/7", "-c", newFile(canary), "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ rule: "routes[1]", index: 1, sentPath: "/7", before: [{ rule: "beta" }] });
  });

  test("ends with 1 where the route cannot be applied, and for a configuration that is wrong", async () => {
    const { code, stdout } = await runCli(["route", "shop/api//x", "-c", newFile(canary)]);
    expect([code, stdout]).toEqual([1, expect.stringContaining("cannot be applied")]);
    const wrong = newFile("  - match: { path: { exact: x } }\n");
    expect(await runCli(["route", "shop/", "-c", wrong])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(":3:29: routes[0].match.path.exact"),
    });
  });

  test("needs a configuration", async () => {
    expect(await runCli(["route", "shop/"])).toMatchObject({ code: 2, stderr: expect.stringContaining("--config FILE") });
  });
});
