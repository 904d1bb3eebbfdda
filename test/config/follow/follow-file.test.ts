import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { roundRobin } from "../../../src/balancer/pickers/round-robin.ts";
import { type ConfigNames, fromFile } from "../../../src/config/config.ts";
import { followFile } from "../../../src/config/follow/follow-file.ts";
import type { MeshEvent } from "../../../src/core/observing/events.ts";
import { createMesh } from "../../../src/mesh/mesh.ts";
import { closing } from "../../support/mesh.ts";
import { serve } from "../../support/servers.ts";
import { until } from "../../support/until.ts";

/** A mesh that was made from a file with this text, which is followed. `PORT` stands for that of its only instance, which answers 503. */
async function followed(text: string, names: ConfigNames = {}) {
  const directory = await mkdtemp(join(tmpdir(), "follow-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const server = await serve((_request, response) => response.writeHead(503).end());
  const file = join(directory, "mesh.yaml");
  const head = `discovery: { static: { orders: [{ host: 127.0.0.1, port: ${server.port} }], users: [{ host: 127.0.0.1, port: ${server.port} }] } }\nbreaker: false\n`;
  const write = (rest: string) => writeFile(file, head + rest);
  await write(text);
  const mesh = closing(createMesh(await fromFile(file, names)));
  const events: MeshEvent[] = [];
  const errors: string[] = [];
  mesh.observe({ onEvent: (event) => void (event.type.startsWith("configur") && events.push(event)) });
  const follower = followFile(mesh, file, { names, pollMs: 10, onError: (error) => errors.push(error.message) });
  /** Attempts of one call. */
  const attempts = async (service = "orders") => {
    const before = server.seen.length;
    await mesh.fetch(`${service}/x`);
    return server.seen.length - before;
  };
  const changes = (count: number) => until(`${count} changes`, () => events.length >= count);
  return { directory, file, head, write, mesh, events, errors, follower, attempts, changes };
}

const retries = (count: number) => `retry: { maxAttempts: ${count}, baseDelayMs: 0 }\n`;

describe("followFile", () => {
  it("puts a new version in force as it is written, replaced, or linked to", async () => {
    const { directory, file, head, write, events, errors, attempts, changes } = await followed(retries(2));
    expect(await attempts()).toBe(2);
    await write(retries(3));
    await changes(1);
    expect(events).toEqual([{ type: "configured", source: file, changed: ["retry.maxAttempts"], restart: [] }]);
    expect(await attempts()).toBe(3);
    await writeFile(`${file}.new`, head + retries(4));
    await rename(`${file}.new`, file);
    await changes(2);
    expect(await attempts()).toBe(4);
    // As Kubernetes mounts a ConfigMap: the file is a link into a directory, which is a link.
    for (const [name, count] of [
      ["one", 5],
      ["two", 6],
    ] as const) {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, "mesh.yaml"), head + retries(count));
    }
    await symlink("one", join(directory, "..data"));
    await symlink(join("..data", "mesh.yaml"), join(directory, "link.yaml"));
    await rename(join(directory, "link.yaml"), file);
    await changes(3);
    expect(await attempts()).toBe(5);
    await symlink("two", join(directory, "..data_tmp"));
    await rename(join(directory, "..data_tmp"), join(directory, "..data"));
    await changes(4);
    expect(await attempts()).toBe(6);
    expect(errors).toEqual([]);
  });

  it("keeps what is in force where the file is wrong, half there or gone, and says each once", async () => {
    const { file, write, mesh, events, errors, attempts, changes } = await followed(retries(2));
    await write("retry: { maxAttempts: 0 }\n");
    await changes(1);
    expect(events[0]).toMatchObject({
      type: "configuration-refused",
      source: file,
      error: { message: expect.stringContaining("mesh.yaml:3:23: retry.maxAttempts must be") },
    });
    await write("retry: { maxAtt");
    await changes(2);
    await rm(file);
    await changes(3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(errors).toHaveLength(3);
    expect(errors[2]).toContain("ENOENT");
    expect(await attempts()).toBe(2);
    expect(mesh.services()).toEqual(["orders"]);
    await write(retries(3));
    await changes(4);
    expect(await attempts()).toBe(3);
  });

  it("takes all but the options of a new mesh, and names these until they are as before", async () => {
    const { write, events, errors, attempts, changes } = await followed(retries(2));
    expect(await attempts()).toBe(2);
    await write(
      `${retries(3)}connections: { max: 5 }\nservices: { orders: { protocol: h2, timeoutMs: 900 }, users: { connections: { max: 1 } } }\n`,
    );
    await changes(1);
    expect(events[0]).toMatchObject({
      changed: ["retry.maxAttempts", "services.orders.timeoutMs", "services.users.connections"],
      restart: ["connections", "services.orders.protocol"],
    });
    expect(errors[0]).toContain("connections, services.orders.protocol need a restart; everything else is in force");
    expect(await attempts()).toBe(3);
    expect(await attempts("users")).toBe(3);
    await write(retries(4));
    await changes(2);
    expect(events[1]).toMatchObject({ restart: ["services.users.connections"] });
    expect(await attempts()).toBe(4);
  });

  it("leaves a value that code makes as it is while the file says the same of it", async () => {
    let made = 0;
    const pickers = {
      mine: () => {
        made++;
        return roundRobin();
      },
    };
    const { write, events, changes } = await followed(`picker: mine\n${retries(2)}`, { pickers });
    await write(`picker: { mine: {} }\n${retries(2)}`);
    await changes(1);
    await write(`picker: { mine: {} }\n${retries(3)}`);
    await changes(2);
    expect(events.map((event) => (event as { changed: unknown }).changed)).toEqual([["picker"], ["retry.maxAttempts"]]);
    expect(made).toBeGreaterThan(1);
  });

  it("follows the files that it refers to", async () => {
    const { directory, write, attempts, changes, events } = await followed(retries(2));
    await writeFile(join(directory, "count"), "3\n");
    await write("retry: { maxAttempts: '${file:count}', baseDelayMs: 0 }\n");
    await changes(1);
    expect(await attempts()).toBe(3);
    await writeFile(join(directory, "count"), "4\n");
    await changes(2);
    expect(await attempts()).toBe(4);
    await rm(join(directory, "count"));
    await changes(3);
    expect(events[2]).toMatchObject({ type: "configuration-refused" });
    expect(await attempts()).toBe(4);
  });

  it("changes routes with the file", async () => {
    const { write, attempts, changes, events } = await followed(retries(1));
    await write(`${retries(1)}routes: [{ match: { path: { prefix: /x } }, options: { retry: { maxAttempts: 3, baseDelayMs: 0 } } }]\n`);
    await changes(1);
    expect(events[0]).toMatchObject({ changed: ["routes"] });
    expect(await attempts()).toBe(3);
    await write(`${retries(1)}routes: [{ match: { path: { perfix: /x } } }]\n`);
    await changes(2);
    expect(events[1]).toMatchObject({ type: "configuration-refused", error: { message: expect.stringContaining("mesh.yaml:4:") } });
    expect(await attempts()).toBe(3);
    await write(retries(1));
    await changes(3);
    expect(await attempts()).toBe(1);
  });

  it("ends with the mesh, and when it is closed", async () => {
    const { write, follower, mesh, events } = await followed(retries(2));
    follower.close();
    await write(retries(3));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(events).toEqual([]);
    await mesh.close();
    expect(() => followFile({} as never, "mesh.yaml")).toThrow("must be a mesh of createMesh");
    expect(() => followFile(mesh, "mesh.yaml", { pollMs: 1 })).toThrow(RangeError);
  });
});
