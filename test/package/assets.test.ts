import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireDist } from "../dist.ts";
import { type Consumer, install, pack } from "./consumer.ts";

const program = "node_modules/inmesh/dist/cli/inmesh.js";

describe("inmesh assets, of the package as it is published", { timeout: 60_000 }, () => {
  let directory: string;
  /** Has only the dependencies of the package: not Grafana's SDK. */
  let consumer: Consumer;
  beforeAll(async () => {
    requireDist();
    directory = await mkdtemp(join(tmpdir(), "inmesh-packed-"));
    consumer = await install(await pack(directory), [], { "package.json": '{ "private": true, "type": "module" }' });
  }, 60_000);
  afterAll(async () => {
    await consumer?.[Symbol.asyncDispose]();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  it("writes every file, from any working directory", async () => {
    const args = ["assets", "--out", "made", "--spelling", "otel-js", "--job", "checkout", "--title-prefix", "Shop"];
    const { code, stdout, stderr } = await consumer.run(process.execPath, [program, ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const made = join(consumer.directory, "made");
    const entries = await readdir(made, { recursive: true, withFileTypes: true });
    expect(stdout.trim().split("\n")).toHaveLength(10);
    expect(entries.filter((entry) => entry.isFile())).toHaveLength(10);
    const overview = JSON.parse(await readFile(join(made, "dashboards/overview.json"), "utf8")) as { title: string };
    expect(overview.title).toBe("Shop / Overview");
    expect(await readFile(join(made, "recording-rules.yml"), "utf8")).toContain(
      'inmesh_client_call_duration_count{inmesh_outcome!="cancelled",job="checkout"}',
    );
  });

  it("refuses an invalid objective, and a directory with files of other origin", async () => {
    const wrong = await consumer.run(process.execPath, [program, "assets", "--out", "wrong", "--objective", "99.9"]);
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain("from 0.95 to 0.99999");
    await consumer.run(process.execPath, ["-e", 'fs.mkdirSync("theirs"); fs.writeFileSync("theirs/runbooks.md", "mine")']);
    const foreign = await consumer.run(process.execPath, [program, "assets", "--out", "theirs"]);
    expect(foreign.code).not.toBe(0);
    expect(foreign.stderr).toContain("nothing was written");
    expect(await readdir(join(consumer.directory, "theirs"))).toEqual(["runbooks.md"]);
  });
});
