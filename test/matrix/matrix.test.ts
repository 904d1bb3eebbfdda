import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { requireDist } from "../dist.ts";
import { available, nodeProgram } from "../servers/available.ts";

const root = join(import.meta.dirname, "../..");
const entry = pathToFileURL(join(root, "dist/index.js")).href;

const nodes = [
  { major: 22, isAvailable: available("node22"), program: () => nodeProgram("node22") },
  { major: 24, isAvailable: true, program: () => join(root, "node_modules/node/bin/node") },
  { major: 26, isAvailable: available("node26"), program: () => nodeProgram("node26") },
];

beforeAll(requireDist);

describe.each(nodes)("on Node $major", ({ major, isAvailable, program }) => {
  // After a change that is meant, `vitest run test/matrix -u` writes the table anew.
  it.skipIf(!isAvailable)("calls end as the table says, on peers that write bytes and frames by hand", async () => {
    const run = promisify(execFile);
    expect((await run(program(), ["--version"])).stdout).toMatch(`v${major}.`);
    const args = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "program.ts"), entry];
    const { stdout, stderr } = await run(program(), args, { timeout: 25_000 });
    expect(stderr).toBe("");
    await expect(stdout).toMatchFileSnapshot("outcomes.txt");
  });
});
