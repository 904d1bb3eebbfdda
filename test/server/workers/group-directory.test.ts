import { chmod, mkdir, mkdtemp, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { groupDirectory } from "../../../src/server/workers/group-directory.ts";

let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "group-directory-"));
  vi.stubEnv("TMPDIR", temporary);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true, force: true });
});

describe.runIf(process.platform !== "win32")("the directory of a group of workers", () => {
  it("is the same for the same server, another one for another, and the user's own", async () => {
    const directory = await groupDirectory(["orders", 8080]);
    expect(await groupDirectory(["orders", 8080])).toBe(directory);
    expect(await groupDirectory(["orders", 8081])).not.toBe(directory);
    expect(dirname(dirname(directory))).toBe(temporary);
    for (const path of [directory, dirname(directory)]) expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it("is refused where others can open it, or where it is a link", async () => {
    const own = dirname(await groupDirectory(["orders"]));
    await chmod(own, 0o755);
    await expect(groupDirectory(["orders"])).rejects.toThrow(`${own} is open to other users (mode 755 in place of 700)`);
    await rm(own, { recursive: true });
    await mkdir(join(temporary, "elsewhere"), { mode: 0o700 });
    await symlink(join(temporary, "elsewhere"), own);
    await expect(groupDirectory(["orders"])).rejects.toThrow(`${own} is not a directory`);
  });

  it("is refused where it cannot be made", async () => {
    vi.stubEnv("TMPDIR", join(temporary, "absent"));
    await expect(groupDirectory(["orders"])).rejects.toThrow("ENOENT");
  });
});
