import { spawn } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { Instance } from "../../../src/registration/registrar.ts";
import { fencedClient } from "../../../src/registries/eureka/fenced-client.ts";
import { loadPackage, type PackageCallback, type PackageClient, type PackageRequest } from "../../../src/registries/eureka/package.ts";
import { type EurekaOptions, eureka } from "../../../src/registries/eureka.ts";
import { requestJson } from "../../servers/json-request.ts";
import { ManualClock } from "../manual-clock.ts";
import {
  type EurekaScript,
  registryOf,
  type ScriptedAnswer,
  type ScriptedEureka,
  type SeenCall,
  scriptedEureka,
} from "./scripted-eureka.ts";

const instance: Instance = { service: "users", id: "u1", host: "127.0.0.1", port: 8080 };

/** A server that knows one instance, as Eureka does; `script` may answer in its place. */
const server = (script: EurekaScript = () => undefined): Promise<ScriptedEureka> => {
  let known: Record<string, unknown> | undefined;
  return scriptedEureka((call, number): ScriptedAnswer | undefined => {
    const answer = script(call, number);
    if (answer !== undefined) return answer.status === hang.status ? undefined : answer;
    switch (call.method) {
      case "POST":
        known = { ...statusOf(call), overriddenStatus: "UNKNOWN" };
        return { status: 204 };
      case "DELETE":
        known = undefined;
        return {};
      case "PUT":
        return { status: known === undefined ? 404 : 200 };
      default:
        return known === undefined ? { status: 404 } : { body: JSON.stringify({ instance: known }) };
    }
  });
};
const hang: ScriptedAnswer = { status: 1 };
const statusOf = ({ body }: SeenCall): { status?: string; lastDirtyTimestamp?: string } =>
  (JSON.parse(body) as { instance: object }).instance;
const callsOf = ({ seen }: ScriptedEureka): readonly string[] =>
  seen.filter(({ method }) => method !== "GET").map((call) => (call.method === "POST" ? `POST ${statusOf(call).status}` : call.method));
const delaysOf = (clock: ManualClock): readonly number[] => clock.delays.map(Math.round);
/** Lets the heartbeat come once. */
const beat = async (clock: ManualClock, to: ScriptedEureka): Promise<void> => {
  const before = to.seen.length;
  await expect.poll(() => delaysOf(clock)).toContain(28_500);
  clock.advance(28_501);
  await expect.poll(() => to.seen.length).toBeGreaterThan(before);
};
const manual = (...servers: readonly ScriptedEureka[]): EurekaOptions & { readonly clock: ManualClock } => ({
  servers: servers.map(({ url }) => url),
  clock: new ManualClock(),
  random: () => 0.5,
});

describe("a registration at eureka", () => {
  it("is a POST that says all there is to say", async () => {
    await using eurekaServer = await server();
    const { signal } = new AbortController();
    const registration = await eureka({ servers: [eurekaServer.url] }).register(instance, signal);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    const [post] = eurekaServer.seen;
    expect(post).toMatchObject({ method: "POST", path: "/eureka/apps/USERS" });
    expect(JSON.parse(post?.body ?? "")).toEqual({
      instance: {
        instanceId: "u1",
        app: "USERS",
        hostName: "127.0.0.1",
        ipAddr: "127.0.0.1",
        vipAddress: "users",
        secureVipAddress: "users",
        status: "UP",
        port: { $: 8080, "@enabled": "true" },
        securePort: { $: 8080, "@enabled": "false" },
        homePageUrl: "http://127.0.0.1:8080/",
        dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
        leaseInfo: { renewalIntervalInSecs: 30, durationInSecs: 90 },
        metadata: { "inmesh-registration": expect.any(String) },
        lastDirtyTimestamp: expect.stringMatching(/^\d{13}$/),
      },
    });
    await registration.deregister();
    expect(eurekaServer.seen.at(-1)).toMatchObject({ method: "DELETE", path: "/eureka/apps/USERS/u1" });
  });

  it.each<[Partial<Record<keyof Instance, unknown>>, RegExp]>([
    [{ service: "a/b" }, /service "a\/b"/],
    [{ port: 65_536 }, /port 65536/],
    [{ weight: 0 }, /weight 0/],
    [{ weight: 1.5 }, /weight 1.5/],
    [{ host: "a b" }, /host "a b"/],
    [{ id: "a/b" }, /id "a\/b"/],
    [{ id: "" }, /id ""/],
    [{ check: { type: "tcp" } }, /check\.type "tcp" does not exist: Eureka asks no instance, it knows only the lease/],
    [{ check: { type: "grpc" } }, /it knows only the lease/],
    [{ check: { type: "ttl", ttlMs: 500 } }, /check\.ttlMs 500/],
    [{ check: { type: "http", path: "health" } }, /check\.path "health"/],
  ])("of %j is refused before anything is sent", async (wrong, message) => {
    await using eurekaServer = await server();
    const refused = eureka({ servers: [eurekaServer.url] }).register({ ...instance, ...wrong } as Instance);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toSatisfy((error) => error instanceof TypeError || error instanceof RangeError);
    expect(eurekaServer.seen).toHaveLength(0);
  });

  it("shares the lease of its own check, and reports three times in it", async () => {
    await using eurekaServer = await server();
    const options = manual(eurekaServer);
    const registration = await eureka(options).register({ ...instance, check: { type: "ttl", ttlMs: 12_000 } });
    expect(JSON.parse(eurekaServer.seen[0]?.body ?? "")).toMatchObject({
      instance: { leaseInfo: { renewalIntervalInSecs: 4, durationInSecs: 12 } },
    });
    expect(delaysOf(options.clock)).toEqual([3_800]);
    await registration.deregister();
    expect(delaysOf(options.clock)).toEqual([]);
  });

  it("is tried again until a server takes it", async () => {
    await using eurekaServer = await server((_call, number) => (number < 2 ? { status: 503 } : undefined));
    const options = manual(eurekaServer);
    const registering = eureka(options).register(instance);
    for (const [calls, delayMs] of [
      [1, 50],
      [2, 100],
    ] as const) {
      await expect.poll(() => delaysOf(options.clock)).toContain(delayMs);
      expect(callsOf(eurekaServer)).toHaveLength(calls);
      options.clock.advance(delayMs);
    }
    const registration = await registering;
    expect(callsOf(eurekaServer)).toEqual(["POST UP", "POST UP", "POST UP"]);
    await registration.deregister();
  });

  it("is tried at the next server at once", async () => {
    await using bad = await server(() => ({ status: 500 }));
    await using good = await server();
    const registration = await eureka(manual(bad, good)).register(instance);
    expect([callsOf(bad), callsOf(good)]).toEqual([["POST UP"], ["POST UP"]]);
    await registration.deregister();
  });

  it("is given up after its time, saying what the server did", async () => {
    await using eurekaServer = await server((call) => (call.method === "POST" ? { status: 503 } : undefined));
    const options = manual(eurekaServer);
    const registering = eureka({ ...options, registerTimeoutMs: 60 }).register(instance);
    const refused = expect(registering).rejects.toMatchObject({
      name: "MeshError",
      code: "ERR_MESH_REGISTRATION",
      service: "users",
      message: `eureka: could not register USERS/u1: ${eurekaServer.url}: answered 503`,
    });
    await expect.poll(() => delaysOf(options.clock)).toContain(50);
    options.clock.advance(50);
    await expect.poll(() => delaysOf(options.clock)).toContain(100);
    options.clock.advance(10);
    await refused;
    // The limit of the DELETE, and the time after which it is no longer waited for.
    expect(delaysOf(options.clock)).toHaveLength(2);
    await expect.poll(() => callsOf(eurekaServer)).toEqual(["POST UP", "POST UP", "DELETE"]);
    await expect.poll(() => delaysOf(options.clock)).toEqual([]);
  });

  it.each([400, 401, 403, 404])("is given up at once when a server answers %d", async (status) => {
    await using eurekaServer = await server((call) => (call.method === "POST" ? { status } : undefined));
    await using other = await server();
    await expect(eureka(manual(eurekaServer, other)).register(instance)).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: `eureka: could not register USERS/u1: ${eurekaServer.url} answered ${status}`,
    });
    expect(callsOf(other)).toEqual([]);
  });

  it("ends with its signal, and takes back what may have arrived", async () => {
    await using eurekaServer = await server((call) => (call.method === "POST" ? hang : undefined));
    const options = manual(eurekaServer);
    const controller = new AbortController();
    const registering = eureka(options).register(instance, controller.signal);
    await expect.poll(() => eurekaServer.seen.length).toBe(1);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(registering).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    // An attempt without an answer might still be carried out, after the removal.
    expect(callsOf(eurekaServer)).toEqual(["POST UP"]);
    options.clock.advance(2_000);
    await expect.poll(() => callsOf(eurekaServer)).toEqual(["POST UP", "DELETE"]);
    await expect.poll(() => [eurekaServer.connections, delaysOf(options.clock)]).toEqual([0, []]);
  });

  it("asks Eureka what it listed, and steps over STARTING where that is another status", async () => {
    let listed = "OUT_OF_SERVICE";
    await using eurekaServer = await server((call) => {
      if (call.method === "POST" && (statusOf(call).status === "STARTING" || listed === "STARTING")) listed = statusOf(call).status ?? "";
      return call.method === "GET"
        ? { body: JSON.stringify({ instance: { status: listed, overriddenStatus: "UNKNOWN", lastDirtyTimestamp: "0" } }) }
        : undefined;
    });
    const registration = await eureka(manual(eurekaServer)).register(instance);
    expect(callsOf(eurekaServer)).toEqual(["POST UP", "POST STARTING", "POST UP"]);
    await registration.deregister();
  });

  it("takes the time stamp of an earlier life of its id when that was ahead", async () => {
    const ahead = Date.now() + 3_600_000;
    await using eurekaServer = await server((call, number) =>
      number === 1 && call.method === "GET"
        ? { body: JSON.stringify({ instance: { status: "UP", overriddenStatus: "UNKNOWN", lastDirtyTimestamp: String(ahead) } }) }
        : undefined,
    );
    const registration = await eureka(manual(eurekaServer)).register(instance);
    const posts = eurekaServer.seen.filter(({ method }) => method === "POST");
    expect(posts.map((call) => Number(statusOf(call).lastDirtyTimestamp))).toEqual([1, ahead + 1]);
    await registration.deregister();
  });

  it.each<[string, ScriptedAnswer]>([
    [
      "an operator has overridden the status",
      { body: '{"instance":{"status":"DOWN","overriddenStatus":"DOWN","lastDirtyTimestamp":"0"}}' },
    ],
    ["what is listed can't be read", { body: "<html>" }],
    ["what is listed is not an instance", { body: "[]" }],
    ["it is not listed there yet", { status: 404 }],
    ["the server fails after all", { status: 500 }],
  ])("is as good as it gets when %s", async (_what, answer) => {
    await using eurekaServer = await server((call) => (call.method === "GET" ? answer : undefined));
    const registration = await eureka(manual(eurekaServer)).register(instance);
    expect(callsOf(eurekaServer)).toEqual(["POST UP"]);
    await registration.deregister();
  });
});

describe("the heartbeat of an instance at eureka", () => {
  it("says the status and the time of the last change", async () => {
    await using eurekaServer = await server();
    const options = manual(eurekaServer);
    const registration = await eureka(options).register(instance);
    await beat(options.clock, eurekaServer);
    const dirtyAt = statusOf(eurekaServer.seen[0] as SeenCall).lastDirtyTimestamp;
    const renewal = eurekaServer.seen.findLast(({ method }) => method === "PUT");
    expect(renewal?.path).toBe(`/eureka/apps/USERS/u1?status=UP&lastDirtyTimestamp=${dirtyAt}`);
    await registration.deregister();
  });

  it("registers again with the status as it is when the server has lost the lease", async () => {
    let isLost = false;
    await using eurekaServer = await server((call) => (isLost && call.method === "PUT" ? { status: 404 } : undefined));
    const options = manual(eurekaServer);
    const registration = await eureka(options).register(instance);
    for (const [status, inEureka] of [
      ["out-of-service", "OUT_OF_SERVICE"],
      ["down", "DOWN"],
    ] as const) {
      await registration.setStatus(status);
      isLost = true;
      await beat(options.clock, eurekaServer);
      await expect.poll(() => callsOf(eurekaServer).slice(-3)).toEqual([`POST ${inEureka}`, "PUT", `POST ${inEureka}`]);
      isLost = false;
    }
    expect(callsOf(eurekaServer).filter((call) => call === "POST UP")).toHaveLength(1);
    await registration.deregister();
  });

  it("tells a status that could not be told before", async () => {
    let isDown = false;
    await using eurekaServer = await server(() => (isDown ? { status: 500 } : undefined));
    const options = manual(eurekaServer);
    const registration = await eureka(options).register(instance);
    isDown = true;
    await expect(registration.setStatus("down")).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: `eureka: could not set the status of USERS/u1: ${eurekaServer.url}: answered 500`,
    });
    expect(registration.status).toBe("down");
    isDown = false;
    await beat(options.clock, eurekaServer);
    await expect.poll(() => callsOf(eurekaServer)).toEqual(["POST UP", "POST DOWN", "POST DOWN"]);
    await beat(options.clock, eurekaServer);
    expect(callsOf(eurekaServer).at(-1)).toBe("PUT");
    await registration.deregister();
  });

  it("goes on after a failure, sooner than usual, and reports it", async () => {
    let isDown = false;
    await using eurekaServer = await server(() => (isDown ? { status: 502 } : undefined));
    const options = manual(eurekaServer);
    const failures: Error[] = [];
    const onRenewalError = (error: Error): void => {
      failures.push(error);
      throw new Error("the user's own");
    };
    const registration = await eureka({ ...options, onRenewalError }).register(instance);
    isDown = true;
    await beat(options.clock, eurekaServer);
    for (const delayMs of [250, 500, 1_000, 2_000, 2_500, 2_500]) {
      await expect.poll(() => delaysOf(options.clock)).toEqual([delayMs]);
      options.clock.advance(delayMs);
    }
    await expect.poll(() => delaysOf(options.clock)).toEqual([2_500]);
    expect(failures).toHaveLength(7);
    isDown = false;
    expect(failures[0]).toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: `eureka: could not renew USERS/u1: ${eurekaServer.url}: answered 502`,
    });
    options.clock.advance(2_500);
    await expect.poll(() => delaysOf(options.clock)).toEqual([28_500]);
    expect(failures).toHaveLength(7);
    await registration.deregister();
  });

  it("waits for its answer before the next, and the DELETE waits for it too", async () => {
    await using slow = await server((call) => (call.method === "PUT" ? hang : undefined));
    const options = manual(slow);
    const registration = await eureka({ ...options, requestTimeoutMs: 40_000 }).register(instance);
    await beat(options.clock, slow);
    options.clock.advance(39_999);
    expect(callsOf(slow)).toEqual(["POST UP", "PUT"]);
    const removed = registration.deregister();
    // A DELETE that did not wait would be there before the answer to this.
    await requestJson(slow.url);
    // The heartbeat's own limit, and that of the end, after which it is cut off.
    expect(delaysOf(options.clock)).toEqual([40_000, 1_000]);
    expect(callsOf(slow)).toEqual(["POST UP", "PUT"]);
    options.clock.advance(1);
    await removed;
    expect(callsOf(slow)).toEqual(["POST UP", "PUT", "DELETE"]);
    expect(delaysOf(options.clock)).toEqual([]);
    await expect.poll(() => slow.connections).toBe(0);
  });

  it("does not bring an instance back that is deregistered meanwhile", async () => {
    let removed: Promise<void> | undefined;
    await using eurekaServer = await server((call) => {
      if (call.method !== "PUT") return undefined;
      removed = registration.deregister();
      return { status: 404 };
    });
    const options = manual(eurekaServer);
    const registration = await eureka(options).register(instance);
    await beat(options.clock, eurekaServer);
    await removed;
    expect(callsOf(eurekaServer)).toEqual(["POST UP", "PUT", "DELETE"]);
    expect(delaysOf(options.clock)).toEqual([]);
  });
});

describe("a deregistration at eureka", () => {
  it("is done once, however often it is asked for, and ends all else", async () => {
    await using eurekaServer = await server();
    const registration = await eureka(manual(eurekaServer)).register(instance);
    await Promise.all([registration.deregister(), registration[Symbol.asyncDispose]()]);
    await registration.deregister();
    expect(callsOf(eurekaServer)).toEqual(["POST UP", "DELETE"]);
    await expect(registration.setStatus("down")).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: expect.stringContaining("it is deregistered"),
    });
  });

  it("is fine with a server that knows nothing of the instance", async () => {
    await using eurekaServer = await server((call) => (call.method === "DELETE" ? { status: 404 } : undefined));
    await (await eureka(manual(eurekaServer)).register(instance)).deregister();
  });

  it("rejects when no server takes it, and can be asked for again", async () => {
    let status = 500;
    await using eurekaServer = await server((call) => (call.method === "DELETE" ? { status } : undefined));
    const options = manual(eurekaServer);
    const registration = await eureka(options).register(instance);
    await expect(registration.deregister()).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: `eureka: could not deregister USERS/u1: ${eurekaServer.url}: answered 500`,
    });
    expect(delaysOf(options.clock)).toEqual([]);
    status = 403;
    await expect(registration.deregister()).rejects.toMatchObject({
      message: `eureka: could not deregister USERS/u1: ${eurekaServer.url} answered 403`,
    });
    status = 200;
    await registration.deregister();
  });

  it("ends with its signal", async () => {
    await using eurekaServer = await server((call) => (call.method === "DELETE" ? hang : undefined));
    const options = manual(eurekaServer);
    const registration = await eureka(options).register(instance);
    const controller = new AbortController();
    const removed = registration.deregister(controller.signal);
    await expect.poll(() => callsOf(eurekaServer).at(-1)).toBe("DELETE");
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(removed).rejects.toBe(reason);
    await expect.poll(() => [eurekaServer.connections, delaysOf(options.clock)]).toEqual([0, []]);
  });

  it("refuses a status that is none", async () => {
    await using eurekaServer = await server();
    const registration = await eureka(manual(eurekaServer)).register(instance);
    await expect(registration.setStatus("constructor" as "up")).rejects.toThrow(TypeError);
    expect(registration.status).toBe("up");
    expect(inspect(registration, { depth: 20, showHidden: true })).not.toContain("127.0.0.1");
    await registration.deregister();
  });
});

it("keeps no process alive by a renewal that is not answered, and by a fetch of the registry that nobody waits for", async () => {
  const asked = Promise.withResolvers<void>();
  let fetches = 0;
  let renewals = 0;
  await using eurekaServer = await server(({ method, path }) => {
    if (path === "/eureka/apps/") {
      if (fetches++ === 0) return { body: registryOf() };
    } else if (method === "PUT") renewals++;
    else return undefined;
    if (fetches > 1 && renewals > 0) asked.resolve();
    return hang;
  });
  const program = `
    const { eureka } = await import(${JSON.stringify(new URL("../../../src/registries/eureka.ts", import.meta.url).href)});
    const registry = eureka({ servers: [${JSON.stringify(eurekaServer.url)}], heartbeatMs: 50, refreshMs: 50, requestTimeoutMs: 600_000 });
    await registry.register(${JSON.stringify(instance)});
    const watch = registry.watch("users", new AbortController().signal);
    await watch.next();
    void watch.next();
    process.once("message", () => process.disconnect());
    process.send("ready");
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ended = once(child, "exit");
  try {
    await asked.promise;
    child.send("end");
    expect(await ended).toEqual([0, null]);
  } finally {
    child.kill("SIGKILL");
  }
});

describe("eureka-js-client behind its fence", () => {
  const Package = loadPackage();
  const about = { app: "USERS", instanceId: "h:u s:1", describe: () => ({ status: "OUT_OF_SERVICE" }), renewQuery: () => "?a=b" };

  it("makes each call once, with our body and query, and never learns what was answered", async () => {
    const calls: unknown[] = [];
    const poison = '{"applications":{"application":[{"name":"X","instance":[{"status":"UP","vipAddress":"constructor"}]}]}}';
    const client = fencedClient(
      Package,
      async (request) => {
        calls.push(request);
        return { server: "s", status: 200, body: Buffer.from(poison) };
      },
      about,
    );
    expect(await client.fetchRegistry({ awaited: true })).toMatchObject({ status: 200, body: Buffer.from(poison) });
    await client.register({ awaited: true });
    await client.renew({ awaited: false });
    await client.deregister({ awaited: true });
    expect(calls).toEqual([
      { method: "GET", path: "", keepsProcess: true },
      { method: "POST", path: "USERS", body: '{"instance":{"status":"OUT_OF_SERVICE"}}', keepsProcess: true },
      { method: "PUT", path: "USERS/h%3Au%20s%3A1?a=b", keepsProcess: false },
      { method: "DELETE", path: "USERS/h%3Au%20s%3A1", keepsProcess: true },
    ]);
  });

  it("tells the package that there is nothing to read, whatever there is", async () => {
    const told: unknown[] = [];
    class Eavesdropper implements PackageClient {
      eurekaRequest(_request: PackageRequest, _callback: PackageCallback): void {}
      fetchRegistry(): void {
        this.eurekaRequest({ uri: "" }, (...args) => told.push(...args));
      }
      register(): void {}
      renew(): void {}
      deregister(): void {}
    }
    const client = fencedClient(Eavesdropper, async () => ({ server: "s", status: 200, body: Buffer.from("poison") }));
    expect(await client.fetchRegistry({ awaited: true })).toMatchObject({ body: Buffer.from("poison") });
    expect(told).toEqual([null, { statusCode: 200 }, '{"applications":{}}']);
  });

  it("does not register by itself when a heartbeat is answered with 404", async () => {
    const methods: string[] = [];
    const client = fencedClient(
      Package,
      async ({ method }) => {
        methods.push(method);
        return { server: "s", status: 404, body: Buffer.alloc(0) };
      },
      about,
    );
    expect(await client.renew({ awaited: true })).toMatchObject({ status: 404 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(methods).toEqual(["PUT"]);
  });

  it("hands on a failure and leaves no timer", async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    const failure = new Error("refused");
    const client = fencedClient(Package, () => Promise.reject(failure), about);
    for (const call of ["fetchRegistry", "register", "renew", "deregister"] as const)
      await expect(client[call]({ awaited: true })).rejects.toBe(failure);
    await new Promise((resolve) => setImmediate(resolve));
    expect(timers()).toBe(before);
  });
});
