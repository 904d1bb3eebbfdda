import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { available, serverDirectory } from "./available.ts";
import { buildOnce, cacheDirectory } from "./cache.ts";
import { withLock } from "./lock.ts";

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "inmesh-cache-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

describe("The cache of servers", () => {
  it("lies in the user's cache directory, one directory per version", () => {
    expect(cacheDirectory("consul")).toMatch(new RegExp(`^${cache}/inmesh/servers/consul-[0-9a-f]{16}$`));
  });

  it("builds a server once, however many ask for it at the same time", async () => {
    let builds = 0;
    const build = async (directory: string): Promise<void> => {
      builds++;
      await writeFile(join(directory, "program"), "whole");
    };
    const [first, second] = await Promise.all([buildOnce("consul", build), buildOnce("consul", build)]);
    await buildOnce("consul", build);
    expect(builds).toBe(1);
    expect(first).toBe(second);
    expect(await readFile(join(first, "program"), "utf8")).toBe("whole");
    expect(await readdir(join(cache, "inmesh", "servers"))).toHaveLength(1);
  });

  it("never shows half a build, and builds again after one that failed", async () => {
    const failing = buildOnce("consul", async (directory) => {
      await writeFile(join(directory, "program"), "half");
      expect(serverDirectory("consul")).toBeUndefined();
      throw new Error("out of luck");
    });
    await expect(failing).rejects.toThrow("out of luck");
    expect(serverDirectory("consul")).toBeUndefined();
    expect(await readdir(join(cache, "inmesh", "servers"))).toEqual([]);
    await buildOnce("consul", async () => {});
    expect(serverDirectory("consul")).toBe(cacheDirectory("consul"));
  });

  it("lets a suite be skipped where nothing is built, but not with CI=true", () => {
    vi.stubEnv("CI", "");
    expect(available("consul")).toBe(false);
    vi.stubEnv("CI", "true");
    expect(() => available("consul")).toThrow("npm run servers");
  });
});

describe("The lock around a build", () => {
  it("is taken over from a process that died", async () => {
    const path = join(cache, "lock");
    // No process has this id: Linux gives out ids below 2 ** 22, macOS below 100 000.
    await writeFile(path, `${hostname()} 2000000000 x`);
    expect(await withLock(path, async () => "done")).toBe("done");
    expect(existsSync(path)).toBe(false);
  });

  it("is taken over from a holder that has shown no sign of life for a minute", async () => {
    const path = join(cache, "lock");
    await writeFile(path, `elsewhere ${process.pid} x`);
    const longAgo = new Date(Date.now() - 61_000);
    await utimes(path, longAgo, longAgo);
    expect(await withLock(path, async () => "done")).toBe("done");
  });

  it("is waited for while its holder lives", async () => {
    const path = join(cache, "lock");
    const order: string[] = [];
    let release = (): void => {};
    const held = withLock(path, async () => {
      order.push("first");
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await expect.poll(() => order).toEqual(["first"]);
    const waited = withLock(
      path,
      async () => void order.push("second"),
      (message) => {
        order.push(message);
        release();
      },
    );
    await Promise.all([held, waited]);
    expect(order).toEqual(["first", `process ${process.pid} is building it`, "second"]);
  });
});
