import { getEventListeners } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it, vi } from "vitest";
import type { DiscoveryAnswer } from "../../src/discovery/discovery.ts";
import { loadPackage } from "../../src/registries/eureka/package.ts";
import { type EurekaOptions, eureka } from "../../src/registries/eureka.ts";
import { requestJson } from "../servers/json-request.ts";
import { settle } from "../support/until.ts";
import { listedInstance, registryOf, type ScriptedAnswer, scriptedEureka } from "./eureka/scripted-eureka.ts";
import { ManualClock } from "./manual-clock.ts";

const one = listedInstance({ instanceId: "one" });
const two = listedInstance({ instanceId: "two" });
const orders = listedInstance({ app: "ORDERS", instanceId: "order" });
const answer = (...instances: readonly Readonly<Record<string, unknown>>[]): ScriptedAnswer => ({ body: registryOf(...instances) });
const idsOf = ({ value }: IteratorResult<DiscoveryAnswer, void>): unknown => value?.endpoints.map(({ id }) => id);

describe("eureka", () => {
  it.each<[unknown, RegExp]>([
    [{ servers: [] }, /servers must be an array of at least one URL/],
    [{ servers: "http://127.0.0.1" }, /servers must be an array/],
    [{ servers: ["http://127.0.0.1", "nonsense"] }, /servers\[1\]/],
    [{ server: "x" }, /no option "server"/],
    [{ tls: { rejectUnauthorized: false } }, /no option "rejectUnauthorized"/],
    [{ tls: "c4n4ry" }, /tls must be an object with options, not a string/],
    [null, /options must be an object/],
    [{ by: "name" }, /by must be one of "app", "vip", not "name"/],
    [{ preferSecure: 1 }, /preferSecure must be true or false, not 1/],
    [{ preferHostName: "yes" }, /preferHostName must be true or false, not "yes"/],
    [{ refreshMs: 0 }, /refreshMs must be from 1 to 2147483647, not 0/],
    [{ requestTimeoutMs: Number.NaN }, /requestTimeoutMs must be a number, not NaN/],
    [{ maxBodyBytes: -1 }, /maxBodyBytes .* not -1/],
    [{ heartbeatMs: Number.POSITIVE_INFINITY }, /heartbeatMs .* not Infinity/],
    [{ registerTimeoutMs: "1" }, /registerTimeoutMs .* not "1"/],
    [{ leaseMs: 999 }, /leaseMs must be from 1000 to 2147483647, not 999/],
    [{ onRenewalError: "x" }, /onRenewalError must be a function/],
    [{ username: "c4n4ry" }, /username and password must be given together/],
    [{ password: "c4n4ry" }, /username and password must be given together/],
    [{ username: "c4n:4ry", password: "c4n4ry" }, /username must not contain a colon/],
  ])("refuses the options %j", (options, message) => {
    const refused = (): unknown => eureka(options as EurekaOptions);
    expect(refused).toThrow(message);
    expect(refused).toThrow(/^eureka(:| has) /);
    expect(refused).not.toThrow(/c4n4?:?4?ry/);
  });

  it("says where it looks, and shows no credentials", () => {
    expect(eureka().name).toBe("eureka at http://127.0.0.1:8761/eureka");
    const registry = eureka({ servers: ["http://me:c4n4ry@a:1", "https://b/eureka"], username: "me", password: "c4n4ry" });
    expect(registry.name).toBe("eureka at http://a:1/eureka, https://b/eureka");
    expect(inspect(registry, { depth: 20, showHidden: true })).not.toMatch(/c4n4ry|bWU6/);
  });

  it("says what to install when the package is missing", () => {
    const missing = (): never => {
      throw Object.assign(new Error("Cannot find module 'eureka-js-client'"), { code: "MODULE_NOT_FOUND" });
    };
    expect(() => loadPackage(missing)).toThrow("npm install eureka-js-client");
    expect(() => loadPackage(() => ({}))).toThrow("npm install eureka-js-client");
  });

  it("reads no eureka-client.yml of the working directory", async () => {
    await using server = await scriptedEureka(() => answer(one));
    const directory = mkdtempSync(join(tmpdir(), "inmesh-eureka-"));
    for (const name of ["eureka-client.yml", "eureka-client-test.yml", "eureka-client-development.yml"])
      writeFileSync(join(directory, name), "a: [");
    const cwd = vi.spyOn(process, "cwd").mockReturnValue(directory);
    try {
      // The package itself refuses to start there.
      const Package = loadPackage();
      expect(() => new Package({})).toThrow("Error loading YAML configuration file");
      expect(await eureka({ servers: [server.url] }).services(new AbortController().signal)).toEqual(["users"]);
    } finally {
      cwd.mockRestore();
      rmSync(directory, { recursive: true });
    }
  });
});

describe("a watch of eureka", () => {
  it("shares one fetch with all others, and yields the same array again while its own service has not changed", async () => {
    const answers = [answer(one, orders), answer(two, one, orders), answer(one, two)];
    await using server = await scriptedEureka((_call, number) => answers[number]);
    const clock = new ManualClock();
    const registry = eureka({ servers: [server.url], refreshMs: 1_000, clock, random: () => 0.5 });
    const controller = new AbortController();
    const users = registry.watch("users", controller.signal);
    const USERS = registry.watch("USERS", controller.signal);
    const other = registry.watch("orders", controller.signal);
    const first = await Promise.all([users.next(), USERS.next(), other.next()]);
    expect(first.map(idsOf)).toEqual([["one"], ["one"], ["order"]]);
    expect(server.seen.map(({ method, path }) => [method, path])).toEqual([["GET", "/eureka/apps/"]]);

    const next = Promise.all([users.next(), USERS.next()]);
    const confirmed = other.next();
    await expect.poll(() => clock.delays).toEqual([1_000, 1_000, 1_000]);
    clock.advance(1_000);
    expect((await next).map(idsOf)).toEqual([
      ["one", "two"],
      ["one", "two"],
    ]);
    expect((await confirmed).value?.endpoints).toBe(first[2].value?.endpoints ?? expect.fail());
    expect(server.seen).toHaveLength(2);

    const reordered = users.next();
    const lastOfOrders = other.next();
    await expect.poll(() => clock.delays).toEqual([1_000, 1_000]);
    clock.advance(1_000);
    // In another order they are the same users.
    expect((await reordered).value?.endpoints).toBe((await next)[0].value?.endpoints ?? expect.fail());
    expect(idsOf(await lastOfOrders)).toEqual([]);
    const waiting = users.next();
    await expect.poll(() => clock.delays).toEqual([1_000]);
    controller.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(clock.delays).toEqual([]);
    expect(server.seen).toHaveLength(3);
    for (const watch of [users, USERS, other]) await watch.return();
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  it("answers at once from a copy that is fresh, and asks anew for what that does not hold", async () => {
    await using server = await scriptedEureka((_call, number) => (number === 0 ? answer(one) : answer(one, orders)));
    const clock = new ManualClock();
    const registry = eureka({ servers: [server.url], refreshMs: 10_000, clock, random: () => 0.5 });
    const { signal } = new AbortController();
    const first = async (service: string): Promise<unknown> => {
      const watch = registry.watch(service, signal);
      const result = idsOf(await watch.next());
      await watch.return();
      return result;
    };
    expect(await first("users")).toEqual(["one"]);
    // A copy less than a second old also answers for services that it does not list.
    clock.advance(999);
    expect(await first("orders")).toEqual([]);
    expect(server.seen).toHaveLength(1);
    clock.advance(1);
    expect(await first("users")).toEqual(["one"]);
    expect(server.seen).toHaveLength(1);
    expect(await first("orders")).toEqual(["order"]);
    expect(server.seen).toHaveLength(2);
    clock.advance(9_999);
    expect(await first("orders")).toEqual(["order"]);
    expect(server.seen).toHaveLength(2);
    clock.advance(1);
    expect(await first("orders")).toEqual(["order"]);
    expect(server.seen).toHaveLength(3);
  });

  it("hands the newest copy to a reader that comes late, without waiting", async () => {
    await using server = await scriptedEureka((_call, number) => (number === 0 ? answer(one) : answer(one, two, orders)));
    const clock = new ManualClock();
    const registry = eureka({ servers: [server.url], clock, random: () => 0.5 });
    const { signal } = new AbortController();
    const late = registry.watch("users", signal);
    expect(idsOf(await late.next())).toEqual(["one"]);
    clock.advance(5_000);
    const other = registry.watch("orders", signal);
    expect(idsOf(await other.next())).toEqual(["order"]);
    expect(idsOf(await late.next())).toEqual(["one", "two"]);
    expect(server.seen).toHaveLength(2);
    await Promise.all([late.return(), other.return()]);
  });

  it("fetches again when it is told to, once for all watches, and not within a second of the last fetch", async () => {
    await using server = await scriptedEureka(() => answer(one, orders));
    const clock = new ManualClock();
    const registry = eureka({ servers: [server.url], clock, random: () => 0.5 });
    const controller = new AbortController();
    const watches = ["users", "orders"].map((service) => registry.watch(service, controller.signal));
    for (const watch of watches) await watch.next();
    const next = watches.map((watch) => watch.next());
    clock.advance(400);
    registry.refresh("users");
    await settle();
    expect(server.seen).toHaveLength(1);
    clock.advance(600);
    await Promise.all(next);
    expect(server.seen).toHaveLength(2);
    controller.abort();
    await Promise.all(watches.map((watch) => watch.next()));
  });

  it("names the instances that were deregistered when most are missing, and none whose lease has only run out", async () => {
    const four = ["one", "two", "three", "four"].map((instanceId) => listedInstance({ instanceId }));
    const lease = { durationInSecs: 90, lastRenewalTimestamp: 1_000_000, registrationTimestamp: 1 };
    const gone = (instanceId: string, evictionTimestamp: number, more = {}) =>
      listedInstance({ instanceId, actionType: "DELETED", leaseInfo: { ...lease, evictionTimestamp }, ...more });
    const delta = registryOf(
      gone("two", 1_010_000),
      gone("three", 1_200_000),
      gone("four", 1_010_000, { leaseInfo: undefined }),
      gone("one", 1_010_000, { actionType: "ADDED" }),
    );
    let list = four;
    await using server = await scriptedEureka(({ path }) => (path.endsWith("/delta") ? { body: delta } : answer(...list)));
    const registry = eureka({ servers: [server.url], refreshMs: 20 });
    const controller = new AbortController();
    const watch = registry.watch("users", controller.signal);
    await watch.next();
    list = four.slice(0, 1);
    let value: DiscoveryAnswer | undefined;
    do value = (await watch.next()).value ?? undefined;
    while (value?.endpoints.length === 4);
    expect(value).toMatchObject({ certain: false, leftOut: [] });
    const second = (await watch.next()).value;
    expect(second?.endpoints).toBe(value?.endpoints);
    expect(second?.leftOut).toEqual([{ id: "two", reason: "deregistered", withdrawn: true }]);
    controller.abort();
    await watch.return();
  });

  it("goes on without the changes of the last minutes where a server does not keep them", async () => {
    const four = ["one", "two", "three", "four"].map((instanceId) => listedInstance({ instanceId }));
    for (const bad of [{ status: 403 }, { body: "<html>" }, { body: '{"applications":7}' }]) {
      let list = four;
      await using server = await scriptedEureka(({ path }) => (path.endsWith("/delta") ? bad : answer(...list)));
      const controller = new AbortController();
      const watch = eureka({ servers: [server.url], refreshMs: 20 }).watch("users", controller.signal);
      await watch.next();
      list = four.slice(0, 1);
      for (let answers = 0; answers < 4; answers++) expect((await watch.next()).value?.leftOut).toEqual([]);
      controller.abort();
      await watch.return();
    }
  });

  it("leaves nothing on a signal when the catalogue was asked for", async () => {
    await using server = await scriptedEureka(() => answer(one, orders));
    const { signal } = new AbortController();
    expect(await eureka({ servers: [server.url] }).services(signal)).toEqual(["users", "orders"]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("throws when the registry fails, and asks a failing one once a second however often it is started", async () => {
    await using server = await scriptedEureka((_call, number) => (number < 2 ? { status: 500 } : answer(one)));
    const clock = new ManualClock();
    const registry = eureka({ servers: [server.url], clock, random: () => 0 });
    const { signal } = new AbortController();
    const start = (): Promise<unknown> => registry.watch("users", signal).next().then(idsOf);
    const failure = {
      name: "MeshError",
      code: "ERR_MESH_DISCOVERY",
      message: `eureka: could not fetch the registry: ${server.url}: answered 500`,
    };
    await Promise.all([expect(start()).rejects.toMatchObject(failure), expect(start()).rejects.toMatchObject(failure)]);
    expect(server.seen).toHaveLength(1);
    const waiting = Promise.allSettled([start(), start(), start()]);
    await expect.poll(() => clock.delays).toEqual([500, 500, 500]);
    clock.advance(500);
    expect((await waiting).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(server.seen).toHaveLength(2);
    const healed = Promise.all([start(), start()]);
    await expect.poll(() => clock.delays).toEqual([500, 500]);
    clock.advance(500);
    expect(await healed).toEqual([["one"], ["one"]]);
    expect(server.seen).toHaveLength(3);
  });

  it("throws, and never yields an empty set, when what answers is no registry", async () => {
    for (const bad of [{ body: "<html>" }, { body: "{}" }, { status: 204 }, { status: 404 }, { status: 302, headers: { location: "/" } }]) {
      await using server = await scriptedEureka(() => bad);
      const watch = eureka({ servers: [server.url] }).watch("users", new AbortController().signal);
      await expect(watch.next()).rejects.toMatchObject({ code: "ERR_MESH_DISCOVERY" });
    }
  });

  it("goes to the next server when one answers with something that is no registry", async () => {
    await using bad = await scriptedEureka(() => ({ body: "<html>" }));
    await using good = await scriptedEureka(() => answer(one));
    const watch = eureka({ servers: [bad.url, good.url] }).watch("users", new AbortController().signal);
    expect(idsOf(await watch.next())).toEqual(["one"]);
    await watch.return();
  });

  it("yields an empty set when the registry is empty", async () => {
    await using server = await scriptedEureka(() => answer());
    const watch = eureka({ servers: [server.url] }).watch("users", new AbortController().signal);
    expect(idsOf(await watch.next())).toEqual([]);
    await watch.return();
  });

  it("takes a fetch that hangs along only when it was the last that waited for it", async () => {
    await using server = await scriptedEureka(({ path }) => (path === "/eureka/ping" ? {} : undefined));
    const registry = eureka({ servers: [server.url] });
    const controllers = [new AbortController(), new AbortController()] as const;
    const [first, second] = controllers.map(({ signal }) => registry.watch("users", signal).next());
    await expect.poll(() => server.seen.length).toBe(1);
    controllers[0].abort();
    expect(await first).toEqual({ done: true, value: undefined });
    const other = registry.watch("users", controllers[1].signal).next();
    // A connection that had been closed would be gone before this is answered, and a new one there.
    await requestJson(`${server.url}/ping`);
    await expect.poll(() => server.connections).toBe(1);
    expect(server.seen).toHaveLength(2);
    controllers[1].abort();
    expect(await second).toEqual({ done: true, value: undefined });
    expect(await other).toEqual({ done: true, value: undefined });
    await expect.poll(() => server.connections).toBe(0);
    expect(server.seen).toHaveLength(2);
    for (const { signal } of controllers) expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("can be started while the fetch of one that was given up is still ending", async () => {
    await using server = await scriptedEureka((_call, number) => (number === 0 ? undefined : answer(one)));
    const registry = eureka({ servers: [server.url] });
    const controller = new AbortController();
    const given = registry.watch("users", controller.signal).next();
    await expect.poll(() => server.seen.length).toBe(1);
    controller.abort();
    const watch = registry.watch("users", new AbortController().signal);
    expect(idsOf(await watch.next())).toEqual(["one"]);
    await given;
    await watch.return();
  });

  it("ends when the registry is closed, which leaves nothing behind", async () => {
    await using server = await scriptedEureka((_call, number) => (number === 0 ? answer(one) : undefined));
    const clock = new ManualClock();
    const registry = eureka({ servers: [server.url], clock });
    const { signal } = new AbortController();
    const sleeping = registry.watch("users", signal);
    await sleeping.next();
    const end = sleeping.next();
    await expect.poll(() => clock.delays).toHaveLength(1);
    registry.close();
    expect(await end).toEqual({ done: true, value: undefined });
    expect(clock.delays).toEqual([]);
    const fetching = registry.watch("users", signal).next();
    await expect.poll(() => server.seen.length).toBe(2);
    registry.close();
    expect(await fetching).toEqual({ done: true, value: undefined });
    await expect.poll(() => server.connections).toBe(0);
    expect(clock.delays).toEqual([]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
