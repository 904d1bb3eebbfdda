import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runCli } from "../run-cli.ts";

function newFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "inmesh-policy-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "policy.yaml");
  writeFileSync(file, text);
  return file;
}

const rules = `rules:
  - { id: no-admin, action: deny, to: { paths: ["/admin/**"] } }
  - { id: read, action: allow, from: { identities: ["spiffe://example.org/shop/"] }, to: { methods: [GET] } }
  - { id: admin, action: allow, from: { token: { issuers: [i], claims: { role: [admin] } } }, to: { headers: [{ name: x, exact: a }] } }
`;
const web = "spiffe://example.org/shop/web";

describe("inmesh policy test", () => {
  test("shows each case, and ends with 0 where all hold", async () => {
    const file = newFile(`${rules}tests:
  - { path: /orders, identity: ${web}, expect: allowed, rule: read }
  - { path: /admin/x, identity: ${web}, expect: denied, rule: no-admin }
  - { name: nobody knows it, path: /orders, expect: denied }
  - { path: /x/../admin, expect: refused }
  - { method: POST, headers: { X: a }, claims: { iss: i, role: admin }, expect: allowed, rule: admin }
`);
    const { code, stdout, stderr } = await runCli(["policy", "test", file]);
    expect(stdout).toMatch(/nobody knows it +denied +denied, as no rule allows it +passed/);
    expect(stdout).toMatch(/refused: the path has a dot segment/);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "5 passed, 0 failed\n" });
  });

  test("ends with 1 where a decision, or the rule that made it, is another one", async () => {
    const file = newFile(`${rules}tests:
  - { path: /orders, expect: allowed }
  - { path: /admin, expect: denied, rule: read }
`);
    const { code, stdout, stderr } = await runCli(["policy", "test", file, "-o", "json"]);
    expect(JSON.parse(stdout)).toEqual([
      { name: "GET /orders", passed: false, expected: "allowed", found: "denied, as no rule allows it" },
      { name: "GET /admin", passed: false, expected: "denied by read", found: "denied by no-admin" },
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "0 passed, 2 failed\n" });
  });

  test("says where a policy or a case is wrong", async () => {
    const file = newFile(`${rules}tests:\n  - { path: /orders, expects: allowed }\n`);
    const { code, stderr } = await runCli(["policy", "test", file]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${file}:6:22: tests[0].expects: there is no such field; did you mean expect?\n` });
  });

  test("knows no other action", async () => {
    expect((await runCli(["policy", "tset", newFile("")])).code).toBe(2);
  });
});
