import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LastGood } from "../../../src/discovery/last-good/last-good.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";

const endpoints = [{ id: "a", host: "10.0.0.1", port: 80 }];
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-last-good-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const maxAgeMs = 3_600_000;

function rig({ maxFiles = 128 } = {}) {
  const clock = virtualClock();
  const errors: unknown[] = [];
  const lastGood = new LastGood({
    directory: join(directory, "mesh"),
    maxAgeMs,
    maxFiles,
    clock,
    onError: (_service, error) => errors.push(error),
  });
  return { clock, errors, lastGood };
}

async function saved(service = "orders") {
  const { clock, lastGood, errors } = rig();
  lastGood.save(service, endpoints);
  await lastGood.close();
  expect(errors).toEqual([]);
  return { clock, lastGood, path: join(directory, "mesh", `${service}.json`) };
}

describe("LastGood", () => {
  it("gives back what was saved, with its age", async () => {
    const { clock, lastGood } = await saved();
    await clock.advance(60_000);
    expect(await lastGood.load("orders")).toEqual({ endpoints, ageMs: 60_000 });
    expect(await lastGood.load("users")).toBeUndefined();
  });

  it("writes a file that only its user can read, and leaves nothing else behind", async () => {
    const { path } = await saved();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, "mesh"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(directory, "mesh"))).toEqual(["orders.json"]);
  });

  it("writes within a second, several changes once, and nothing that is empty", async () => {
    const { clock, lastGood } = rig();
    lastGood.save("orders", endpoints);
    lastGood.save("orders", [...endpoints, { id: "b", host: "10.0.0.2", port: 80 }]);
    lastGood.save("users", []);
    expect(clock.pending).toEqual([{ inMs: 1_000, keepsProcess: false }]);
    await clock.advance(1_000);
    await lastGood.close();
    expect((await lastGood.load("orders"))?.endpoints).toHaveLength(2);
    expect(await readdir(join(directory, "mesh"))).toEqual(["orders.json"]);
  });

  it.each([
    ["cut off", (text: string) => text.slice(0, -3)],
    ["changed", (text: string) => text.replace("10.0.0.1", "10.6.6.6")],
    ["empty", () => ""],
    ["without a checksum", (text: string) => text.slice(text.indexOf("\n") + 1)],
  ])("refuses a file that is %s", async (_what, damage) => {
    const { lastGood, path } = await saved();
    await writeFile(path, damage(await readFile(path, "utf8")));
    await expect(lastGood.load("orders")).rejects.toMatchObject({ code: "ERR_MESH_DISCOVERY", service: "orders" });
  });

  it("refuses a file that others may write", async () => {
    const { lastGood, path } = await saved();
    await chmod(path, 0o620);
    await expect(lastGood.load("orders")).rejects.toThrow(/others may write it/);
  });

  it("refuses the file of another service", async () => {
    const { lastGood, path } = await saved();
    await writeFile(join(directory, "mesh", "users.json"), await readFile(path), { mode: 0o600 });
    await expect(lastGood.load("users")).rejects.toThrow(/something else/);
  });

  it("keeps every name inside its directory", async () => {
    const { lastGood } = rig();
    for (const name of ["../escape", "..", "a/b", "x".repeat(253)]) lastGood.save(name, endpoints);
    await lastGood.close();
    expect(await readdir(directory)).toEqual(["mesh"]);
    expect(await readdir(join(directory, "mesh"))).toHaveLength(4);
    for (const name of ["../escape", "..", "a/b", "x".repeat(253)]) expect((await lastGood.load(name))?.endpoints).toEqual(endpoints);
  });

  it("tells of a directory that cannot be written, and goes on", async () => {
    await writeFile(join(directory, "mesh"), "a file where the directory should be");
    const { lastGood, errors } = rig();
    lastGood.save("orders", endpoints);
    await lastGood.close();
    expect(errors).toHaveLength(1);
  });

  it("refuses a symbolic link, a pipe and a directory in the place of the file, and waits for none of them", async () => {
    const { lastGood, path } = await saved();
    const real = join(directory, "real.json");
    await rename(path, real);
    await symlink(real, path);
    await expect(lastGood.load("orders")).rejects.toThrow(/symbolic link/);
    await rm(path);
    execFileSync("mkfifo", ["-m", "600", path]);
    await expect(lastGood.load("orders")).rejects.toThrow(/not a regular file/);
    await rm(path);
    await mkdir(path, { mode: 0o700 });
    await expect(lastGood.load("orders")).rejects.toThrow(/not a regular file/);
  });

  it.runIf(process.getuid?.() === 0)("refuses a file and a directory of another user", async () => {
    const { lastGood, path } = await saved();
    await chown(path, 12_345, 12_345);
    await expect(lastGood.load("orders")).rejects.toThrow(/others may write it/);
    await chown(path, 0, 0);
    await chown(join(directory, "mesh"), 12_345, 12_345);
    await expect(lastGood.load("orders")).rejects.toThrow(/its directory: others may write it/);
  });

  it("neither reads from nor writes to a directory that others may write", async () => {
    const { lastGood, clock } = await saved();
    await chmod(join(directory, "mesh"), 0o777);
    await expect(lastGood.load("orders")).rejects.toThrow(/its directory: others may write it/);
    const { lastGood: next, errors } = rig();
    next.save("users", endpoints);
    await next.close();
    expect(String(errors[0])).toMatch(/users\.json cannot be written: its directory: others may write it/);
    expect(await readdir(join(directory, "mesh"))).toEqual(["orders.json"]);
    expect(clock.pending).toEqual([]);
  });

  it("refuses a file that is older than lastGoodMaxAgeMs, and one of the future", async () => {
    const { lastGood, clock, path } = await saved();
    await clock.advance(maxAgeMs);
    expect((await lastGood.load("orders"))?.ageMs).toBe(maxAgeMs);
    await clock.advance(1);
    await expect(lastGood.load("orders")).rejects.toThrow(/60 minutes old \(lastGoodMaxAgeMs is 3600000\)/);
    const body = JSON.stringify({ service: "orders", savedAt: clock.wallNow() + 120_000, endpoints });
    await writeFile(path, `sha256:${createHash("sha256").update(body).digest("hex")}\n${body}`, { mode: 0o600 });
    await expect(lastGood.load("orders")).rejects.toThrow(/written in the future/);
  });

  it("writes a set that does not change again before it is too old, and how current it was when it closes", async () => {
    const { clock, lastGood } = rig();
    for (let minute = 0; minute < 120; minute++) {
      lastGood.save("orders", endpoints);
      await clock.advance(60_000);
    }
    await lastGood.close();
    expect((await lastGood.load("orders"))?.ageMs).toBe(60_000);
  });

  it("keeps the newest files and those of services that are watched, and no more of them than it may", async () => {
    const { lastGood, clock } = rig({ maxFiles: 3 });
    const foreign = join(directory, "mesh", "settings.json");
    for (const [index, name] of ["kept", "a", "b", "c", "d"].entries()) {
      lastGood.save(name, endpoints);
      await clock.advance(1_000);
      await lastGood.close();
      await utimes(join(directory, "mesh", `${name}.json`), index, index);
      if (name !== "kept") lastGood.forget(name);
      if (index === 0) await writeFile(foreign, "{}");
    }
    await utimes(foreign, 0, 0);
    lastGood.save("e", endpoints);
    await lastGood.close();
    expect(await readdir(join(directory, "mesh"))).toEqual(["d.json", "e.json", "kept.json", "settings.json"]);
  });

  it("writes nothing of a service that was given up meanwhile", async () => {
    const { lastGood } = rig();
    for (let name = 0; name < 100; name++) {
      lastGood.save(`name-${name}`, endpoints);
      if (name < 99) lastGood.forget(`name-${name}`);
    }
    await lastGood.close();
    expect(await readdir(join(directory, "mesh"))).toEqual(["name-99.json"]);
  });

  it("removes what killed processes have left half-written an hour ago", async () => {
    const { lastGood, clock, path } = await saved();
    await writeFile(`${path}.123.abc`, "half");
    await writeFile(`${path}.124.abd`, "half");
    await utimes(`${path}.123.abc`, clock.wallNow() / 1_000 - 7_200, clock.wallNow() / 1_000 - 7_200);
    await utimes(`${path}.124.abd`, clock.wallNow() / 1_000, clock.wallNow() / 1_000);
    lastGood.save("users", endpoints);
    await lastGood.close();
    expect(await readdir(join(directory, "mesh"))).toEqual(["orders.json", "orders.json.124.abd", "users.json"]);
  });
});
