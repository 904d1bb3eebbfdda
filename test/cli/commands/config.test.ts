import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runCli } from "../run-cli.ts";

function newFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "inmesh-config-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "mesh.yaml");
  writeFileSync(file, text);
  return file;
}

describe("inmesh config check", () => {
  test("ends with 0 for a configuration that createMesh takes", async () => {
    const file = newFile("discovery: { consul: { port: 1 } }\nservices: { orders: { retry: false } }\n");
    expect(await runCli(["config", "check", file])).toEqual({
      code: 0,
      stdout: "",
      stderr: `${file} is right: 1 service with options of their own\n`,
    });
  });

  test("ends with 1 and the place of the fault", async () => {
    const file = newFile("discovery: consul\nretry: { maxAttemps: 2 }\n");
    expect(await runCli(["config", "check", file])).toEqual({
      code: 1,
      stdout: "",
      stderr: `${file}:2:10: retry has no option "maxAttemps"; did you mean "maxAttempts"?\n`,
    });
  });

  test("takes the names that the program gives", async () => {
    const file = newFile(
      "discovery: mine\npicker: { mine: {} }\nauthorize: ${code:mine}\ninterceptors: ['${code:mine}']\nobservers: [mine]\n",
    );
    expect((await runCli(["config", "check", file])).stderr).toMatch(/there is no source of endpoints "mine"/);
    expect((await runCli(["config", "check", "--code", "mine", file])).code).toBe(0);
  });
});

describe("inmesh config print", () => {
  test("shows what is in force as YAML, or as JSON", async () => {
    const file = newFile("discovery: consul\nretry: { maxAttempts: 2 }\n");
    const { code, stdout } = await runCli(["config", "print", file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^discovery: consul$/m);
    expect(stdout).toMatch(/^retry:\n {2}maxAttempts: 2$/m);
    expect(stdout).toMatch(/^timeoutMs: 10000$/m);
    const { stdout: json } = await runCli(["config", "print", "-o", "json", file]);
    expect(JSON.parse(json)).toMatchObject({ timeoutMs: 10_000, retry: { maxAttempts: 2 } });
  });
});

describe("inmesh config diff", () => {
  test("shows the options that differ, and ends with 1; with 0 where none does", async () => {
    const [one, other] = [newFile("discovery: consul\ntimeoutMs: 500\n"), newFile("discovery: consul\nzone: eu-1\n")];
    const { code, stdout, stderr } = await runCli(["config", "diff", one, other]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "2 different, of which 1 need a restart\n" });
    expect(stdout).toMatch(/zone +- +"eu-1" +restart/);
    expect(stdout).toMatch(/timeoutMs +500 +10000 +at once/);
    expect(await runCli(["config", "diff", one, one])).toEqual({ code: 0, stdout: "", stderr: "no difference\n" });
  });
});

test("inmesh config says which actions there are, and how many files they take", async () => {
  const file = newFile("discovery: consul\n");
  expect(await runCli(["config", "chek", file])).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no config chek") });
  expect(await runCli(["config", "diff", file])).toMatchObject({ code: 2, stderr: expect.stringContaining("config diff needs two files") });
});
