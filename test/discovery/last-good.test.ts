import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LastGood } from "../../src/discovery/last-good.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

const endpoints = [{ id: "a", host: "10.0.0.1", port: 80 }];
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-last-good-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function rig() {
  const clock = virtualClock();
  const errors: unknown[] = [];
  const lastGood = new LastGood({ directory: join(directory, "mesh"), clock, onError: (_service, error) => errors.push(error) });
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
});
