import { watch } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { type Clock, systemClock } from "../../../src/core/clock.ts";
import { fileDiscovery } from "../../../src/discovery/file/file.ts";
import { WatchReader } from "../../../src/testing/contract/watch-reader.ts";
import { type ContractEndpoint, discoveryContract } from "../../../src/testing/index.ts";

vi.mock("node:fs", { spy: true });
vi.mock("node:fs/promises", { spy: true });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-file-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const one = { host: "127.0.0.1", port: 8081 };
const two = { host: "127.0.0.2", port: 8082 };
const json = (...endpoints: readonly ContractEndpoint[]) => JSON.stringify({ orders: endpoints });

describe.each([
  ["JSON", "services.json", JSON.stringify, JSON.parse, "in place"],
  ["JSON", "services.json", JSON.stringify, JSON.parse, "by renaming"],
  ["YAML", "services.yaml", stringify, parse, "by renaming"],
] as const)("fileDiscovery of %s in %s", (_format, name, write, _read, how) => {
  describe(`written ${how}`, () => {
    const contract = discoveryContract(async () => {
      const path = join(directory, name);
      const lists: Record<string, readonly ContractEndpoint[]> = Object.create(null);
      const save = async (text: string) => {
        if (how === "in place") return writeFile(path, text);
        await writeFile(`${path}.new`, text);
        await rename(`${path}.new`, path);
      };
      await save(write({ ...lists }));
      return {
        discovery: fileDiscovery(path, { pollMs: 500 }),
        service: "orders",
        otherService: "users",
        async set(endpoints, service = "orders") {
          lists[service] = endpoints;
          await save(write({ ...lists }));
        },
        breakSource: () => save('{ "orders": [ { "host": "127.0.0.1", '),
        healSource: () => save(write({ ...lists })),
        close: async () => {},
      };
    });
    for (const test of contract) it(test.name, test.run);
  });
});

describe("fileDiscovery", () => {
  it("says which file is missing", async () => {
    const path = join(directory, "none.json");
    const reader = new WatchReader(fileDiscovery(path), "orders");
    await reader.untilFailed(1_000);
    expect(reader.error).toMatchObject({ code: "ERR_MESH_DISCOVERY", cause: { code: "ENOENT" } });
    expect(String(reader.error)).toContain(path);
  });

  it.each([
    ["an empty file", "", /it is empty/],
    ["a blank file", " \n", /it is empty/],
    ["half a file", '{ "orders": [', /JSON/],
    ["a list", "[]", /expected an object/],
    ["a wrong instance", '{ "orders": [{ "host": "h", "port": 0 }] }', /orders\[0\]: port/],
  ])("takes %s for an error, not for no endpoints", async (_what, text, message) => {
    const path = join(directory, "services.json");
    await writeFile(path, text);
    const reader = new WatchReader(fileDiscovery(path), "orders");
    await reader.untilFailed(1_000);
    expect(String(reader.error)).toMatch(message);
    expect(String(reader.error)).toContain(path);
    expect(reader.sets).toEqual([]);
  });

  it.each([
    ["YAML with a key twice", "orders: []\norders: []\n", /unique/],
    ["YAML that holds nothing", "# later\n", /expected an object/],
    ["YAML with a number for a text", "orders: [{ host: h, port: 1, metadata: { version: 1.2 } }]", /metadata/],
  ])("takes %s for an error", async (_what, text, message) => {
    const path = join(directory, "services.yml");
    await writeFile(path, text);
    const reader = new WatchReader(fileDiscovery(path), "orders");
    await reader.untilFailed(1_000);
    expect(String(reader.error)).toMatch(message);
  });

  it("reads services named like a property of every object", async () => {
    for (const name of ["services.json", "services.yaml"]) {
      const path = join(directory, name);
      await writeFile(path, '{ "__proto__": [{ "host": "h", "port": 1 }], "constructor": [] }');
      const discovery = fileDiscovery(path);
      const reader = new WatchReader(discovery, "__proto__");
      expect(await reader.first(1_000)).toEqual([{ id: "h:1", host: "h", port: 1 }]);
      expect(await discovery.services?.(new AbortController().signal)).toEqual(["__proto__", "constructor"]);
      await reader.stop();
    }
  });

  it("accepts a byte order mark, a URL, and a format for a name without one", async () => {
    const path = join(directory, "services");
    await writeFile(path, `\uFEFF${json(one)}`);
    const reader = new WatchReader(fileDiscovery(pathToFileURL(path), { format: "json" }), "orders");
    expect(await reader.first(1_000)).toHaveLength(1);
    await reader.stop();
  });

  it("follows a symbolic link that is swapped, as a Kubernetes ConfigMap's", async () => {
    await writeVersion("v1", json(one));
    await symlink("v1", join(directory, "..data"));
    await symlink(join("..data", "services.json"), join(directory, "services.json"));
    const reader = new WatchReader(fileDiscovery(join(directory, "services.json")), "orders");
    await reader.until("the first version", (set) => set.length === 1, 2_000);
    await writeVersion("v2", json(one, two));
    await symlink("v2", join(directory, "..data_tmp"));
    await rename(join(directory, "..data_tmp"), join(directory, "..data"));
    await reader.until("the second version", (set) => set.length === 2, 5_000);
    await reader.stop();
  });

  it("sees a change by the operating system's notice, long before the poll", async () => {
    const path = join(directory, "services.json");
    await writeFile(path, json(one));
    const reader = new WatchReader(fileDiscovery(path, { pollMs: 3_600_000 }), "orders");
    await reader.first(1_000);
    await writeFile(path, json(one, two));
    await reader.until("the second set", (set) => set.length === 2, 4_000);
    await reader.stop();
  });

  it("sees a change that the operating system does not report, by polling", async () => {
    // The link's directory never changes, so that there is no notice of what happens behind it.
    await mkdir(join(directory, "behind"));
    await mkdir(join(directory, "before"));
    await writeFile(join(directory, "behind", "services.json"), json(one));
    await symlink(join(directory, "behind", "services.json"), join(directory, "before", "services.json"));
    const reader = new WatchReader(fileDiscovery(join(directory, "before", "services.json"), { pollMs: 50 }), "orders");
    await reader.until("the first set", (set) => set.length === 1, 2_000);
    await writeFile(join(directory, "behind", "services.json"), json(one, two));
    await reader.until("the second set", (set) => set.length === 2, 5_000);
    await reader.stop();
  });

  it("sees a second write that leaves size and modification time as they were", async () => {
    const path = join(directory, "services.json");
    // Long ago, so that the first read is final.
    const stamp = new Date(Date.now() - 60_000);
    await writeFile(path, json(one));
    await utimes(path, stamp, stamp);
    const reader = new WatchReader(fileDiscovery(path, { pollMs: 50 }), "orders");
    await reader.until("the first set", (set) => set[0]?.port === 8081, 2_000);
    await writeFile(path, json({ ...one, port: 8091 }));
    await utimes(path, stamp, stamp);
    await reader.until("the second set", (set) => set[0]?.port === 8091, 5_000);
    await reader.stop();
  });

  it("reads again what was written so lately that a second write may bear the same stamp", async () => {
    const path = join(directory, "services.json");
    await writeFile(path, json(one));
    vi.mocked(stat).mockResolvedValue(await stat(path, { bigint: true }));
    const reader = new WatchReader(fileDiscovery(path, { pollMs: 50 }), "orders");
    await reader.until("the first set", (set) => set[0]?.port === 8081, 2_000);
    await writeFile(path, json({ ...one, port: 8091 }));
    await reader.until("the second set", (set) => set[0]?.port === 8091, 5_000);
    await reader.stop();
    vi.mocked(stat).mockReset();
  });

  it("reads again when the file changed while it was read", async () => {
    const path = join(directory, "services.json");
    await writeFile(path, json(one));
    const earlier = await stat(path, { bigint: true });
    vi.mocked(stat)
      .mockResolvedValueOnce(Object.assign(Object.create(earlier), earlier, { size: 1n }))
      .mockImplementationOnce(async () => {
        await writeFile(path, json(one, two));
        return earlier;
      });
    const reader = new WatchReader(fileDiscovery(path), "orders");
    expect(await reader.first(1_000)).toHaveLength(2);
    await reader.stop();
  });

  it("confirms the set with every look at the file, and tells a watch of no change to other services", async () => {
    const path = join(directory, "services.json");
    await writeFile(path, JSON.stringify({ orders: [one], users: [one] }));
    const discovery = fileDiscovery(path, { pollMs: 50 });
    const orders = new WatchReader(discovery, "orders");
    const users = new WatchReader(discovery, "users");
    await orders.first(1_000);
    await writeFile(path, JSON.stringify({ orders: [one], users: [one, two] }));
    await users.until("two users", (set) => set.length === 2, 5_000);
    const seen = orders.sets.length;
    await orders.until("two confirmations after it", () => orders.sets.length >= seen + 2, 5_000);
    expect(orders.changes).toHaveLength(1);
    await orders.stop();
    await users.stop();
  });

  it("has one poll for all watches and none after the last has ended", async () => {
    const path = join(directory, "services.json");
    await writeFile(path, json(one));
    const timers = new Set<unknown>();
    const clock: Clock = {
      ...systemClock,
      setTimer(callback, delayMs, keepsProcess) {
        expect(keepsProcess).toBe(false);
        const timer = systemClock.setTimer(
          () => {
            timers.delete(timer);
            callback();
          },
          delayMs,
          keepsProcess,
        );
        timers.add(timer);
        return timer;
      },
      clearTimer(timer) {
        timers.delete(timer);
        systemClock.clearTimer(timer);
      },
    };
    vi.mocked(watch).mockClear();
    const discovery = fileDiscovery(path, { clock, pollMs: 60_000 });
    const readers = ["orders", "users", "orders"].map((service) => new WatchReader(discovery, service));
    for (const reader of readers) await reader.first(1_000);
    expect(timers.size).toBe(1);
    const [opened, ...more] = vi.mocked(watch).mock.results;
    expect(more).toEqual([]);
    const closed = vi.fn();
    opened?.value.once("close", closed);
    for (const reader of readers) await reader.stop();
    expect(timers.size).toBe(0);
    await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce());
  });

  it("reports when there is no notice of changes, and polls", async () => {
    const errors: unknown[] = [];
    const path = join(directory, "later", "services.json");
    const reader = new WatchReader(fileDiscovery(path, { onError: (error) => errors.push(error) }), "orders");
    await reader.untilFailed(1_000);
    expect(errors).toMatchObject([{ code: "ENOENT" }]);
  });

  it("refuses what is no file", async () => {
    await mkdir(join(directory, "folder.json"));
    const reader = new WatchReader(fileDiscovery(join(directory, "folder.json")), "orders");
    await reader.untilFailed(1_000);
    expect(String(reader.error)).toContain("not a regular file");
  });

  it("trusts an empty list in JSON and doubts one in YAML, which is valid when it is cut off", () => {
    expect(fileDiscovery("a.json").emptyPolicy).toBe("trust");
    expect(fileDiscovery("a.yaml").emptyPolicy).toBe("quarantine");
    expect(fileDiscovery("a.yaml", { emptyPolicy: "trust" }).emptyPolicy).toBe("trust");
  });

  it("refuses wrong options at construction, naming option and value", () => {
    expect(() => fileDiscovery("")).toThrow(/path.*""/);
    expect(() => fileDiscovery("services.toml")).toThrow(/path.*services\.toml/);
    expect(() => fileDiscovery("a.json", { pollMs: 0 })).toThrow(/pollMs.*0/);
    expect(() => fileDiscovery("a.json", { pollMs: Number.NaN })).toThrow("pollMs must be a number, not NaN");
    expect(() => fileDiscovery("a.json", { emptyPolicy: "doubt" as "trust" })).toThrow(/emptyPolicy.*"doubt"/);
    expect(() => fileDiscovery("a.json", { onError: 1 as never })).toThrow("onError must be a function, not 1");
    expect(() => fileDiscovery("a.json", { poll: 1 } as never)).toThrow('fileDiscovery has no option "poll"; it has format');
    expect(() => fileDiscovery("a.json", { format: "toml" as "json" })).toThrow(/format.*"toml"/);
  });
});

async function writeVersion(version: string, text: string): Promise<void> {
  await mkdir(join(directory, version));
  await writeFile(join(directory, version, "services.json"), text);
}
