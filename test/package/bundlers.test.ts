import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireDist } from "../dist.ts";
import { bundledApp } from "./bundled-app.ts";
import { bundlers, requireBanner } from "./bundlers.ts";
import { type Consumer, install, pack, root } from "./consumer.ts";

const peers = ["@prometheus-io/client", "consul", "eureka-js-client"];
const bundlingTimeoutMs = 120_000;

const whole = {
  consul: "hello",
  eureka: "hello",
  prometheus: "1",
  admin: "true,true,true,true",
  suggestion: true,
  class: true,
  testing: "function",
};

describe("an application in one file, far from node_modules", () => {
  let directory: string;
  let consumer: Consumer;
  beforeAll(async () => {
    requireDist();
    directory = await mkdtemp(join(tmpdir(), "inmesh-bundles-"));
    const files = { "app.mjs": bundledApp, "package.json": '{ "private": true, "type": "module" }' };
    consumer = await install(await pack(directory), peers, files);
  });
  afterAll(async () => {
    await consumer?.[Symbol.asyncDispose]();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  const cases = Object.keys(bundlers).flatMap((name) => (["esm", "cjs"] as const).map((format) => ({ name, format })));

  it.each(cases)(
    "works as $name makes it in the format $format",
    async ({ name, format }) => {
      const away = await mkdtemp(join(directory, "away-"));
      const file = join(away, format === "esm" ? "app.mjs" : "app.cjs");
      await bundlers[name]?.(join(consumer.directory, "app.mjs"), file, format);
      // Deprecated parts of Node that the packages of Eureka use are theirs.
      const run = promisify(execFile)(process.execPath, ["--no-deprecation", file], { cwd: away, timeout: 60_000 });
      expect(JSON.parse((await run).stdout)).toEqual(whole);
    },
    bundlingTimeoutMs,
  );

  it("has the line in its docs that esbuild is given", async () => {
    expect(await readFile(join(root, "docs/guides/bundling.md"), "utf8")).toContain(`--banner:js='${requireBanner}'`);
  });
});
