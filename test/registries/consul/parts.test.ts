import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isCertain, nextIndex, noIndex, parseIndex } from "../../../src/registries/consul/blocking-index.ts";
import { definitionOf } from "../../../src/registries/consul/definition.ts";
import { npmConsul } from "../../../src/registries/consul/npm-client.ts";
import { Pace } from "../../../src/registries/consul/pace.ts";
import { tokenSource } from "../../../src/registries/consul/token.ts";
import { ManualClock } from "../manual-clock.ts";

describe("Consul's index", () => {
  it("is read exactly beyond 2^53", () => {
    expect(parseIndex("9007199254740993")).toBe(9007199254740993n);
    expect(parseIndex("18446744073709551615")).toBe(2n ** 64n - 1n);
  });

  it("is nothing to wait at when it is missing, 0, no number or more than Consul can have", () => {
    for (const header of [undefined, "", "0", "abc", "-5", "1.5", "0x10", " 7", "18446744073709551616", String(2n ** 70n), ["1", "2"]]) {
      expect(parseIndex(header)).toBe(noIndex);
    }
  });

  it("starts from the beginning when it goes backwards, or stays although nothing was waited for", () => {
    expect(nextIndex({ asked: 101n, answered: 50n, isEarly: true })).toBe(noIndex);
    expect(nextIndex({ asked: 101n, answered: 50n, isEarly: false })).toBe(noIndex);
    expect(nextIndex({ asked: 101n, answered: 101n, isEarly: true })).toBe(noIndex);
    expect(nextIndex({ asked: 101n, answered: 101n, isEarly: false })).toBe(101n);
    expect(nextIndex({ asked: 101n, answered: 102n, isEarly: true })).toBe(102n);
    expect(nextIndex({ asked: noIndex, answered: 7n, isEarly: true })).toBe(7n);
  });

  it("makes an answer certain when nothing was waited for, or when it has moved forward and there is something", () => {
    expect([isCertain(noIndex, 7n, 0), isCertain(noIndex, noIndex, 0), isCertain(7n, 8n, 1)]).toEqual([true, true, true]);
    expect([isCertain(7n, 7n, 1), isCertain(7n, 1n, 1), isCertain(7n, noIndex, 1), isCertain(7n, 8n, 0)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

describe("the pace of a watch", () => {
  it("lets two questions through at once and spaces the others", () => {
    const clock = new ManualClock();
    const pace = new Pace(clock, 500);
    expect([pace.take(), pace.take(), pace.take()]).toEqual([0, 0, 500]);
    clock.advance(500);
    expect(pace.take()).toBe(500);
  });

  it("saves up two questions in a quiet time, and no more", () => {
    const clock = new ManualClock();
    const pace = new Pace(clock, 500);
    clock.advance(3_600_000);
    expect([pace.take(), pace.take(), pace.take()]).toEqual([0, 0, 500]);
  });
});

describe("a token", () => {
  it("is read from its file again when that has changed", async () => {
    const directory = await mkdtemp(join(tmpdir(), "inmesh-token-"));
    try {
      const file = join(directory, "token");
      await writeFile(file, "first\n");
      const token = tokenSource({ file });
      expect(await token()).toBe("first");
      // As secret stores replace files: another inode under the same name, even of the same length.
      await writeFile(`${file}.new`, "other\n");
      await rename(`${file}.new`, file);
      expect(await token()).toBe("other");
      await writeFile(file, " \n");
      await expect(token()).rejects.toThrow(/does not hold a token/);
      await rm(file);
      await expect(token()).rejects.toThrow(/ENOENT/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("is asked of a function for every request, and must be one", async () => {
    const answers = ["one", "two", "bad token\r\nx-evil: 1", ""];
    const token = tokenSource(async () => answers.shift() ?? "");
    expect([await token(), await token()]).toEqual(["one", "two"]);
    await expect(token()).rejects.toThrow(/did not return a token/);
    await expect(token()).rejects.toThrow(/did not return a token/);
  });
});

describe("the npm package", () => {
  const agent = new Agent();
  const missing = Object.assign(new Error("Cannot find module 'consul'"), { code: "MODULE_NOT_FOUND" });
  const throwing = (error: unknown) => () => {
    throw error;
  };

  it("is asked for by name when it is missing", () => {
    expect(() => npmConsul("http://127.0.0.1:8500", agent, throwing(missing))).toThrow(/npm install consul/);
  });

  it("that fails to load for another reason says that reason", () => {
    expect(() => npmConsul("http://127.0.0.1:8500", agent, throwing(new Error("broken inside")))).toThrow("broken inside");
  });

  it("of another version is refused", () => {
    for (const other of [{}, () => {}, class {}]) expect(() => npmConsul("http://127.0.0.1:8500", agent, () => other)).toThrow(/version 2/);
  });
});

describe("the definition of an instance", () => {
  const minute = 60_000;
  const base = { service: "orders", port: 8081, host: "10.0.0.1" };

  it("says everything the instance says", () => {
    const instance = { ...base, id: "o1", secure: true, weight: 7, zone: "a", tags: ["v2"], metadata: { version: "2" } };
    expect(definitionOf(instance, 10 * minute)).toMatchObject({
      id: "o1",
      checkId: "service:o1",
      renewMs: 5_000,
      service: {
        name: "orders",
        id: "o1",
        address: "10.0.0.1",
        port: 8081,
        tags: ["v2"],
        meta: { version: "2", zone: "a", secure: "true" },
      },
      serviceCheck: { ttl: "15000ms", deregistercriticalserviceafter: "600000ms" },
      body: { Weights: { Passing: 7, Warning: 1 } },
    });
  });

  it("has an id made of service, host and port when there is none", () => {
    expect(definitionOf(base, minute).id).toBe("orders-10.0.0.1-8081");
    expect(definitionOf({ service: "orders", port: 8081 }, minute).id).toMatch(/^orders-.+-8081$/);
  });

  it("has the check asked for, with IPv6 addresses in brackets", () => {
    const checkOf = (check: Parameters<typeof definitionOf>[0]["check"], host = "::1") =>
      definitionOf({ ...base, host, ...(check === undefined ? {} : { check }) }, minute).serviceCheck;
    expect(checkOf({ type: "tcp" })).toMatchObject({ tcp: "[::1]:8081", interval: "10000ms", timeout: "3000ms" });
    expect(checkOf({ type: "http", path: "/healthz", secure: true, intervalMs: 1_000, timeoutMs: 200 })).toMatchObject({
      http: "https://[::1]:8081/healthz",
      interval: "1000ms",
      timeout: "200ms",
    });
    expect(checkOf({ type: "grpc", service: "Orders" }, "h")).toMatchObject({ grpc: "h:8081/Orders", grpcusetls: false });
  });

  it("refuses what makes no sense, naming it and its value", () => {
    const wrong: [object, RegExp][] = [
      [{ port: 0 }, /port .*got 0/],
      [{ port: "80" }, /port .*got '80'/],
      [{ weight: 0 }, /weight .*got 0/],
      [{ service: "" }, /service .*got ''/],
      [{ host: "[::1]" }, /host .*got '\[::1\]'/],
      [{ id: "" }, /id .*got ''/],
      [{ check: { type: "ttl", ttlMs: 5 } }, /check\.ttlMs .*got 5/],
      [{ check: { type: "http", path: "healthz" } }, /check\.path .*got 'healthz'/],
      [{ check: { type: "ping" } }, /check\.type .*got 'ping'/],
      [{ check: { type: "tcp", intervalMs: Number.NaN } }, /check\.intervalMs .*got NaN/],
    ];
    for (const [fields, message] of wrong) expect(() => definitionOf({ ...base, ...fields }, minute)).toThrow(message);
  });
});
