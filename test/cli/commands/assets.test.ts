import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../run-cli.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-cli-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("inmesh assets", () => {
  it("writes the files and says which, for the names and objectives that it is given", async () => {
    const options = ["--job", "checkout", "--service", "orders", "--objective", "0.9995", "--latency", "250ms", "--title-prefix", "Shop"];
    const { code, stdout, stderr } = await runCli(["assets", "--out", directory, ...options]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const written = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(stdout.trim().split("\n").sort()).toEqual(written.map(({ parentPath, name }) => join(parentPath, name)).sort());
    const rules = await readFile(join(directory, "alerting-rules.yml"), "utf8");
    for (const text of ["checkout", "orders"]) expect(rules).toContain(text);
    expect(await readFile(join(directory, "dashboards/overview.json"), "utf8")).toContain("Shop");
  });

  it("replaces what it has written, and nothing else without --force", async () => {
    expect((await runCli(["assets", "--out", directory])).code).toBe(0);
    expect((await runCli(["assets", "--out", directory, "--spelling", "otel-js"])).code).toBe(0);
    await writeFile(join(directory, "alerting-rules.yml"), "mine");
    expect(await runCli(["assets", "--out", directory])).toMatchObject({ code: 1, stderr: expect.stringContaining("alerting-rules.yml") });
    expect(await readFile(join(directory, "alerting-rules.yml"), "utf8")).toBe("mine");
    expect((await runCli(["assets", "--out", directory, "--force"])).code).toBe(0);
  });

  it.each([
    [[], "assets needs --out DIR"],
    [["--out", "x", "--spelling", "java"], "--spelling must be one of otlp, otel-js"],
    [["--out", "x", "--objective", "2"], "objective must be from 0.95"],
    [["--out", "x", "--objective", "high"], "--objective must be a number"],
    [["--out", "x", "--latency", "fast"], "--latency must be a time"],
  ])("does not understand %j", async (args, message) => {
    const { code, stderr } = await runCli(["assets", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
