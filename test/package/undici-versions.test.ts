// Every version of undici that package.json allows: the registry is asked which there are, and for those that are not installed here the tests
// that pin what the mesh reaches into run on a copy of the sources beside that version. UNDICI_VERSIONS=7.29.1,7.30.1 tries others.
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { root } from "./consumer.ts";

const run = promisify(execFile);
const timeoutMs = 180_000;
const pins = ["test/wire", "test/bridges/dispatcher.test.ts", "test/behaviour/undici-traps.test.ts", "test/behaviour/http2.test.ts"];

async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(join(root, path), "utf8")) as T;
}

/** The versions of the range that the registry has, oldest first; none where no registry answers. */
async function publishedVersions(range: string): Promise<readonly string[]> {
  try {
    const { stdout } = await run("npm", ["view", `undici@${range}`, "version", "--json"], { cwd: root, timeout: 20_000 });
    return [JSON.parse(stdout) as string | readonly string[]].flat();
  } catch {
    return [];
  }
}

/** A copy of the sources and tests whose packages are this repository's, but for undici. */
async function withUndici(version: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "inmesh-undici-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const path of ["src", "test", "package.json", "tsconfig.json"])
    await cp(join(root, path), join(directory, path), { recursive: true });
  const [from, to] = [join(root, "node_modules"), join(directory, "node_modules")];
  await mkdir(to);
  for (const name of await readdir(from)) {
    if (name === "undici" || name.startsWith(".")) continue;
    await symlink(join(from, name), join(to, name), "junction");
  }
  const { stdout } = await run("npm", ["pack", `undici@${version}`, "--json", "--pack-destination", directory], { cwd: directory });
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  await run("tar", ["-xzf", packed.filename], { cwd: directory });
  await rename(join(directory, "package"), join(to, "undici"));
  return directory;
}

const { dependencies } = await readJson<{ dependencies: { undici: string } }>("package.json");
const { version: installed } = await readJson<{ version: string }>("node_modules/undici/package.json");
const wanted = process.env["UNDICI_VERSIONS"]?.split(",") ?? (await publishedVersions(dependencies.undici));

describe(`undici ${dependencies.undici}`, () => {
  it("is tried from its oldest version on", () => {
    expect([installed, ...wanted]).toContain(dependencies.undici.replace("^", ""));
  });

  for (const version of wanted.filter((each) => each !== installed)) {
    it(
      `works with ${version}`,
      async () => {
        const directory = await withUndici(version);
        const vitest = join(root, "node_modules/vitest/vitest.mjs");
        const env = { ...process.env, NO_COLOR: "1" };
        const failed = await run(process.execPath, [vitest, "run", "--root", directory, ...pins], {
          cwd: directory,
          env,
          timeout: timeoutMs,
        })
          .then(() => [])
          .catch(({ stdout }: { stdout: string }) => stdout.split("\n").filter((line) => /^ *(×|FAIL)/.test(line)));
        expect(failed).toEqual([]);
      },
      timeoutMs,
    );
  }
});
