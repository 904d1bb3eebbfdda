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

describe("inmesh policy diff", () => {
  const ids = "spiffe://example.org/shop/";

  test("shows one request of each class that is decided differently, with the rules, and ends with 1", async () => {
    const old = newFile(
      `rules:\n  - { id: read, action: allow, from: { identities: ["${ids}"] }, to: { methods: [GET], paths: ["/orders/{id}"] } }\n`,
    );
    const now = newFile(`rules:
  - { id: read, action: allow, from: { identities: ["${ids}"] }, to: { methods: [GET], paths: ["/orders/**"] } }
  - { id: write, action: allow, from: { identities: ["${ids}web"] }, to: { methods: [POST], paths: ["/orders"] } }
  - { id: seen, action: audit }
`);
    const { code, stdout, stderr } = await runCli(["policy", "diff", old, now]);
    const paths = "  path: /orders, /orders/, /orders/{any}/, /orders/{any}/{any}";
    expect(stdout.split("\n\n").map((part) => part.split("\n"))).toEqual([
      [`GET /orders, from ${ids}web`, "  denied → allowed by read", `  caller: ${ids}web`, "  method: GET", paths],
      [`POST /orders, from ${ids}web`, "  denied → allowed by write", `  caller: ${ids}web`, "  method: POST", "  path: /orders"],
      [`GET /orders, from ${ids}other`, "  denied → allowed by read", `  caller: any other below ${ids}`, "  method: GET", paths],
      [""],
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "3 classes of requests are decided differently\n" });
  });

  test("ends with 0 where the rules differ and the decisions do not", async () => {
    const old = newFile('rules:\n  - { id: a, action: allow, to: { methods: [GET, POST], paths: ["/x"] } }\n');
    const now = newFile(
      'rules:\n  - { id: c, action: allow, to: { methods: [POST], paths: ["/x"] } }\n  - { id: b, action: allow, to: { methods: [GET], paths: ["/x"] } }\n  - { id: d, action: deny, to: { paths: ["/x/**"], notPaths: ["/x"] } }\n',
    );
    expect(await runCli(["policy", "diff", old, now])).toEqual({
      code: 0,
      stdout: "",
      stderr: "both decide every request in the same way\n",
    });
  });

  test("knows that hosts are compared in one spelling", async () => {
    const rule = (host: string): string => `rules:\n  - { id: a, action: allow, to: { headers: [{ name: Host, ${host} }] } }\n`;
    const same = await runCli(["policy", "diff", newFile(rule("exact: Example.org.")), newFile(rule('exact: "example.org:443"'))]);
    expect(same).toEqual({ code: 0, stdout: "", stderr: "both decide every request in the same way\n" });
    const other = await runCli(["policy", "diff", newFile(rule("exact: example.org")), newFile(rule("suffix: EXAMPLE.org"))]);
    expect(other.stdout).toMatch(/^GET \/, host: other(?:.*)example\.org\n {2}denied → allowed by a\n/);
  });

  test("tells a dry run from one that denies", async () => {
    const { code, stdout } = await runCli(["policy", "diff", newFile("rules: []\ndryRun: true"), newFile("rules: []"), "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      complete: true,
      count: 1,
      differences: [{ old: { decision: "dry-run-denied" }, new: { decision: "denied" }, where: {}, isCertain: true }],
    });
    expect(code).toBe(1);
  });

  test("says of a regular expression what is only supposed", async () => {
    const old = newFile('rules:\n  - { id: a, action: allow, to: { paths: [{ regex: "/v[0-9]/.*" }] } }\n');
    const now = newFile(
      'rules:\n  - { id: a, action: allow, to: { paths: [{ regex: "/v[0-9]/.*" }], notPaths: [{ regex: "/v1/(?:a{3}){3}" }] } }\n',
    );
    const { code, stdout } = await runCli(["policy", "diff", old, now]);
    expect(stdout).toContain("perhaps: GET /");
    expect(stdout).toContain("that matches //v[0-9]/.*/ and matches //v1/(?:a{3}){3}/");
    expect(stdout).toContain("  allowed → denied\n");
    expect(code).toBe(1);
  });

  test("ends with 2 for a policy that is wrong or not there, and for two that are too large to be compared", async () => {
    const good = newFile("rules: []");
    const wrong = newFile("rules: [{ id: a }]");
    expect(await runCli(["policy", "diff", good, wrong])).toEqual({
      code: 2,
      stdout: "",
      stderr: `${wrong}:1:9: rules[0]: action is missing\n`,
    });
    expect((await runCli(["policy", "diff", good, "/no/such/file"])).code).toBe(2);
    expect((await runCli(["policy", "diff", good])).code).toBe(2);
    expect((await runCli(["policy", "diff", good, good, "--limit", "0"])).code).toBe(2);
    expect((await runCli(["policy", "test", good, good])).code).toBe(2);
  });

  test("says where it has not looked at everything, and does not call that the same", async () => {
    const rulesOf = (last: string): string =>
      `rules:\n${Array.from({ length: 12 }, (_, n) => `  - { id: r${n}, action: deny, to: { headers: [{ name: x, exact: v${n} }, { name: y, exact: "${n}" }] } }\n`).join("")}  - { id: all, action: allow, to: { headers: [{ name: x, present: true }${last}] } }\n`;
    const { code, stderr } = await runCli(["policy", "diff", newFile(rulesOf("")), newFile(rulesOf(", { name: x, prefix: v }"))]);
    expect(stderr).toContain("not complete: of the values that the header x may have at once, not all combinations are looked at");
    expect(code).toBe(1);
  });
});

describe("inmesh policy propose", () => {
  test("reads a log of audit records, and writes the policy as YAML or as JSON", async () => {
    const log = newFile('{"decision":"allowed","method":"GET","path":"/orders","identity":"spiffe://example.org/web"}\n');
    const { code, stdout, stderr } = await runCli(["policy", "propose", log]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("# Proposed from 1 requests");
    expect(JSON.parse((await runCli(["policy", "propose", log, "-o", "json"])).stdout)).toEqual({
      rules: [
        {
          id: "web-get",
          action: "allow",
          from: { identities: ["spiffe://example.org/web"] },
          to: { methods: ["GET"], paths: ["/orders"] },
        },
      ],
    });
  });

  test("says which line is no record, and ends with 1", async () => {
    const file = newFile("GET /orders 200\n");
    const { code, stdout, stderr } = await runCli(["policy", "propose", file]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(`${file}: line 1 is no audit record: it needs decision, method and path\n`);
  });
});
