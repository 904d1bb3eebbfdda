import { getEventListeners } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import type { HealthCheck, Instance, InstanceStatus, Registration } from "../../../src/registration/registrar.ts";
import { type Consul, type ConsulOptions, consul } from "../../../src/registries/consul.ts";
import { settle, until } from "../../support/until.ts";
import { ManualClock } from "../manual-clock.ts";
import { answer, refuse, type Script, type ScriptedConsul, scriptedConsul } from "./scripted-consul.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const instance: Instance = { service: "orders", host: "10.0.0.1", port: 8081, id: "o1" };
const ok: Script = (_request, response) => response.writeHead(200).end();

interface Rig {
  readonly server: ScriptedConsul;
  readonly adapter: Consul;
  readonly clock: ManualClock;
  /** Replaces what the agent answers from now on. */
  script: Script;
  /** The requests to the agent since the last call, abbreviated. */
  calls(): string[];
}

async function rig(options: ConsulOptions = {}): Promise<Rig> {
  const clock = new ManualClock();
  let told = 0;
  const server = await scriptedConsul((request, response, number) => made.script(request, response, number));
  const adapter = consul({ url: server.url, clock, random: () => 1, ...options });
  cleanups.push(() => server[Symbol.asyncDispose]());
  const made: Rig = {
    server,
    adapter,
    clock,
    script: ok,
    calls() {
      // Whether the entry is still its own is not looked at here.
      const seen = server.seen.slice(told).filter(({ path }) => path !== "/v1/agent/checks");
      const asked = seen.map(({ path, query, body }) => {
        const words = path.replace(/^\/v1\/agent\//, "").split("/");
        if (words[1] === "register") return `register ${(JSON.parse(body) as { Check: { Status?: string } }).Check.Status ?? "unset"}`;
        if (words[1] === "maintenance") return `maintenance ${query.get("enable")}`;
        return words[0] === "services" ? "look" : (words[1] ?? "");
      });
      told = server.seen.length;
      return asked;
    },
  };
  return made;
}

const forgetful: Script = (request, response, number) => {
  if (/check\/(pass|fail)|maintenance/.test(request.path)) refuse(response, 404, 'Unknown check ID "service:o1"');
  else if (request.path === "/v1/agent/services") answer(response, {});
  else ok(request, response, number);
};

const renewed = async (bench: Rig, ms = 5_000): Promise<string[]> => {
  bench.clock.advance(ms);
  await settle();
  return bench.calls();
};

describe("registering with Consul", () => {
  it("tells the agent everything, with what the npm package cannot say", async () => {
    const { server, adapter } = await rig({ token: "secret" });
    const registration = await adapter.register({
      ...instance,
      weight: 7,
      zone: "a",
      secure: true,
      tags: ["v2"],
      metadata: { version: "2" },
    });
    const { method, path, query, headers, body } = server.seen[0] ?? expect.fail();
    expect([method, path, String(query), headers["x-consul-token"]]).toEqual([
      "PUT",
      "/v1/agent/service/register",
      "replace-existing-checks=true",
      "secret",
    ]);
    expect(JSON.parse(body)).toEqual({
      Name: "orders",
      ID: "o1",
      Tags: ["v2"],
      Meta: { version: "2", zone: "a", secure: "true" },
      Address: "10.0.0.1",
      Port: 8081,
      Weights: { Passing: 7, Warning: 1 },
      Check: {
        CheckID: "service:o1",
        Name: "orders at port 8081",
        TTL: "15000ms",
        Status: "passing",
        DeregisterCriticalServiceAfter: "600000ms",
        Notes: expect.stringMatching(/^inmesh [0-9a-f-]{36}$/),
      },
    });
    expect([registration.id, registration.status]).toEqual(["o1", "up"]);
    await registration.deregister();
  });

  it.each<[HealthCheck, object]>([
    [
      { type: "http", path: "/healthz" },
      { HTTP: "http://10.0.0.1:8081/healthz", Interval: "10000ms", Timeout: "3000ms" },
    ],
    [
      { type: "tcp", intervalMs: 500 },
      { TCP: "10.0.0.1:8081", Interval: "500ms", Timeout: "3000ms" },
    ],
    [
      { type: "grpc", service: "Orders", secure: true },
      { GRPC: "10.0.0.1:8081/Orders", GRPCUseTLS: true, Interval: "10000ms", Timeout: "3000ms" },
    ],
  ])("leaves the first status of the check %o to Consul", async (check, expected) => {
    const { server, adapter } = await rig();
    const registration = await adapter.register({ ...instance, check });
    const { Check } = JSON.parse(server.seen[0]?.body ?? "") as { Check: object };
    expect(Check).toMatchObject(expected);
    expect(Check).not.toHaveProperty("Status");
    await registration.deregister();
  });

  it("tries again while the agent is not there or not well", async () => {
    const bench = await rig();
    bench.script = (request, response, number) => {
      if (number === 0) response.socket?.resetAndDestroy();
      else if (number === 1) refuse(response, 500, "not yet");
      else if (number === 2) refuse(response, 429, "slow down");
      else ok(request, response, number);
    };
    const { signal } = new AbortController();
    const registering = bench.adapter.register(instance, signal);
    for (const pauseMs of [100, 200, 400]) {
      await until(`the pause of ${pauseMs} ms`, () => bench.clock.delays.includes(pauseMs));
      bench.clock.advance(pauseMs);
    }
    const registration = await registering;
    expect(bench.server.seen.length).toBe(4);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await registration.deregister();
  });

  it("rejects at once when the agent says no", async () => {
    const bench = await rig();
    bench.script = (_request, response) => refuse(response, 400, "Invalid service address");
    await expect(bench.adapter.register(instance)).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      service: "orders",
      message: `consul at ${bench.server.url}: registering o1: HTTP 400: Invalid service address`,
      cause: { name: "ConsulError", status: 400 },
    });
    await settle();
    expect(bench.calls()).toEqual(["register passing"]);
    expect(bench.clock.delays).toEqual([]);
  });

  it("gives up after registerTimeoutMs and takes back what may have got through", async () => {
    const bench = await rig({ registerTimeoutMs: 1_000 });
    bench.script = (request, response, number) =>
      request.path.includes("/register") ? refuse(response, 500, "no") : ok(request, response, number);
    const outcome = bench.adapter.register(instance).catch((error: unknown) => error);
    for (const [pauseMs, passingMs] of [
      [100, 100],
      [200, 200],
      [400, 400],
      [800, 299],
    ] as const) {
      await until(`the pause of ${pauseMs} ms`, () => bench.clock.delays.includes(pauseMs));
      bench.clock.advance(passingMs);
    }
    await settle();
    expect(bench.calls()).toEqual(Array(4).fill("register passing"));
    bench.clock.advance(1);
    expect(await outcome).toMatchObject({ code: "ERR_MESH_REGISTRATION", message: expect.stringMatching(/registering o1: HTTP 500: no/) });
    await settle();
    expect(bench.calls()).toEqual(["deregister"]);
    expect(bench.clock.delays).toEqual([]);
  });

  it("rejects with the reason when its signal aborts, in a request and in a pause", async () => {
    const scripts: readonly Script[] = [() => {}, (_request, response) => refuse(response, 500, "no")];
    for (const script of scripts) {
      const bench = await rig();
      bench.script = (request, response, number) =>
        request.path.includes("/register") ? script(request, response, number) : ok(request, response, number);
      const controller = new AbortController();
      const reason = new Error("enough");
      const registering = bench.adapter.register(instance, controller.signal);
      await until("the request", () => bench.server.seen.length === 1);
      await settle();
      controller.abort(reason);
      await expect(registering).rejects.toBe(reason);
      await settle();
      // An attempt without an answer might still be carried out, after the removal.
      bench.clock.advance(2_000);
      await settle();
      expect(bench.calls()).toEqual(["register passing", "deregister"]);
      expect(bench.clock.delays).toEqual([]);
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    }
  });

  it("sends nothing when its signal had aborted before, or the instance makes no sense", async () => {
    const { server, adapter } = await rig();
    const reason = new Error("before");
    await expect(adapter.register(instance, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(adapter.register({ ...instance, port: 0 })).rejects.toThrow(RangeError);
    await settle();
    expect(server.seen).toEqual([]);
  });
});

describe("a registration", () => {
  const registered = async (
    options: ConsulOptions = {},
    changed: Partial<Instance> = {},
  ): Promise<{ bench: Rig; registration: Registration }> => {
    const bench = await rig(options);
    const registration = await bench.adapter.register({ ...instance, ...changed });
    bench.calls();
    return { bench, registration };
  };

  it("renews its check every third of its TTL at the latest, and keeps no timer after its end", async () => {
    const { bench, registration } = await registered();
    expect(bench.clock.delays).toEqual([5_000]);
    expect(await renewed(bench, 4_999)).toEqual([]);
    for (let beat = 0; beat < 3; beat++) expect(await renewed(bench)).toEqual(["pass"]);
    await registration.deregister();
    expect(bench.clock.delays).toEqual([]);
    expect(await renewed(bench, 100_000)).toEqual(["deregister"]);
  });

  it("does not stay in step with others", async () => {
    const { bench } = await registered({ random: () => 0 });
    expect(bench.clock.delays).toEqual([4_500]);
  });

  it.each<[InstanceStatus, InstanceStatus, string[]]>([
    ["up", "up", ["pass"]],
    ["up", "down", ["fail"]],
    ["up", "out-of-service", ["maintenance true", "pass"]],
    ["down", "up", ["pass"]],
    ["down", "out-of-service", ["maintenance true", "pass"]],
    ["out-of-service", "up", ["pass", "maintenance false"]],
    ["out-of-service", "down", ["fail", "maintenance false"]],
  ])("goes from %s to %s without being routable in between", async (from, to, expected) => {
    const { bench, registration } = await registered();
    if (from !== "up") await registration.setStatus(from);
    bench.calls();
    await registration.setStatus(to);
    expect(bench.calls()).toEqual(expected);
    expect(registration.status).toBe(to);
    expect(await renewed(bench)).toEqual([to === "down" ? "fail" : "pass"]);
  });

  it.each<[InstanceStatus, string[]]>([
    ["up", ["pass", "register passing"]],
    ["down", ["fail", "register critical", "fail"]],
    ["out-of-service", ["pass", "register critical", "maintenance true", "pass"]],
  ])("is made again with the status %s when the agent has forgotten it", async (status, expected) => {
    const { bench, registration } = await registered();
    await registration.setStatus(status);
    bench.calls();
    let isForgotten = true;
    bench.script = (request, response, number) => {
      (isForgotten ? forgetful : ok)(request, response, number);
      isForgotten = false;
    };
    expect(await renewed(bench)).toEqual(expected);
    expect(await renewed(bench)).toEqual([status === "down" ? "fail" : "pass"]);
  });

  it("is made again when the agent says so with a 500", async () => {
    for (const text of ['CheckID "service:o1" does not have associated TTL', "Unknown check ID", 'No service registered with ID "o1"']) {
      const { bench } = await registered();
      bench.script = (request, response, number) =>
        request.path.includes("/check/") ? refuse(response, 500, text) : ok(request, response, number);
      expect(await renewed(bench)).toEqual(["pass", "register passing"]);
    }
  });

  it("is made again by setStatus when the agent has forgotten it", async () => {
    const { bench, registration } = await registered();
    let isForgotten = true;
    bench.script = (request, response, number) => {
      (isForgotten ? forgetful : ok)(request, response, number);
      if (request.path !== "/v1/agent/checks") isForgotten = false;
    };
    await registration.setStatus("out-of-service");
    expect(bench.calls()).toEqual(["maintenance true", "register critical", "maintenance true", "pass"]);
  });

  it("remembers a status that could not be told", async () => {
    const { bench, registration } = await registered();
    bench.script = (_request, response) => refuse(response, 500, "no");
    await expect(registration.setStatus("out-of-service")).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: expect.stringMatching(/telling the status of o1: HTTP 500: no/),
    });
    expect(registration.status).toBe("out-of-service");
    bench.calls();
    bench.script = ok;
    expect(await renewed(bench)).toEqual(["maintenance true", "pass"]);
  });

  it("refuses an unknown status", async () => {
    const { registration } = await registered();
    await expect(registration.setStatus("UP" as InstanceStatus)).rejects.toThrow(/'UP'/);
    expect(registration.status).toBe("up");
  });

  it("is tried again sooner, and reported, when it could not be renewed", async () => {
    const errors: Error[] = [];
    const { bench } = await registered({ onRenewalError: (error) => void errors.push(error) });
    bench.script = (_request, response) => refuse(response, 403, "ACL not found");
    expect(await renewed(bench)).toEqual(["pass"]);
    expect(errors).toMatchObject([
      { code: "ERR_MESH_REGISTRATION", message: expect.stringMatching(/renewing o1: HTTP 403: ACL not found/) },
    ]);
    for (const pauseMs of [500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
      expect(bench.clock.delays).toEqual([pauseMs]);
      expect(await renewed(bench, pauseMs)).toEqual(["pass"]);
    }
    bench.script = ok;
    expect(await renewed(bench)).toEqual(["pass"]);
    expect(bench.clock.delays).toEqual([5_000]);
    expect(errors.length).toBe(7);
  });

  it("goes on when what is told of a failure throws", async () => {
    const { bench } = await registered({
      onRenewalError() {
        throw new Error("observer");
      },
    });
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    bench.script = (_request, response) => refuse(response, 500, "no");
    await renewed(bench);
    expect((await warned).message).toMatch(/onRenewalError .* threw: observer/);
    expect(await renewed(bench)).toEqual(["pass"]);
  });

  it("gives a heartbeat up before the next is due, whatever the timeout of other requests", async () => {
    const { bench } = await registered({ requestTimeoutMs: 60_000 }, { check: { type: "ttl", ttlMs: 3_000 } });
    bench.script = () => {};
    expect(await renewed(bench, 1_000)).toEqual(["pass"]);
    expect(bench.clock.delays).toEqual([1_000]);
    bench.script = ok;
    await renewed(bench, 1_000);
    expect(await renewed(bench, 1_000)).toEqual(["pass"]);
  });

  it("with a check of Consul's own is looked after, and made again when it is gone", async () => {
    const { bench, registration } = await registered({}, { check: { type: "tcp" } });
    bench.script = (_request, response) => answer(response, { o1: { ID: "o1" } });
    expect(await renewed(bench)).toEqual(["look"]);
    bench.script = forgetful;
    expect(await renewed(bench)).toEqual(["look", "register unset"]);
    bench.script = ok;
    await registration.setStatus("down");
    expect(bench.calls()).toEqual(["maintenance true"]);
    await registration.setStatus("up");
    expect(bench.calls()).toEqual(["maintenance false"]);
  });

  it("ends once, also when the agent does not know it any more", async () => {
    const { bench, registration } = await registered();
    bench.script = (_request, response) => refuse(response, 404, 'Unknown service ID "o1"');
    await Promise.all([registration.deregister(), registration[Symbol.asyncDispose](), registration.deregister()]);
    await registration.deregister();
    // It is looked for at other agents of the address, in vain.
    expect(bench.calls()).toEqual([...Array(6).fill("deregister"), "v1"]);
    await expect(registration.setStatus("up")).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: expect.stringMatching(/o1: it is deregistered/),
    });
  });

  describe("behind an address of several agents", () => {
    /** Agents that are asked in turn, each of which knows what was registered with it. */
    const inTurn = (count: number): { readonly script: Script; readonly knowing: Set<number> } => {
      const knowing = new Set<number>();
      const script: Script = (request, response, number) => {
        const agent = number % count;
        if (request.path.endsWith("/register")) knowing.add(agent);
        else if (!knowing.has(agent)) return refuse(response, 404, 'Unknown check ID "service:o1"');
        else if (request.path.includes("/deregister/")) knowing.delete(agent);
        ok(request, response, number);
      };
      return { script, knowing };
    };

    it("is told of it when a renewal reaches another agent, and is removed from all that took it", async () => {
      const errors: Error[] = [];
      const bench = await rig({ onRenewalError: (error) => errors.push(error) });
      const agents = inTurn(3);
      bench.script = agents.script;
      const registration = await bench.adapter.register(instance);
      for (let renewal = 0; renewal < 4; renewal++) await renewed(bench);
      expect(errors[0]).toMatchObject({ code: "ERR_MESH_REGISTRATION", service: "orders" });
      expect(errors[0]?.message).toMatch(/renewing o1: the registry did not know it any more, .* the address leads to several agents/);
      expect(agents.knowing.size).toBeGreaterThan(1);
      await registration.deregister();
      expect([...agents.knowing]).toEqual([]);
    });

    it("is removed from the one that took it when another one is asked first", async () => {
      const bench = await rig();
      const agents = inTurn(3);
      bench.script = agents.script;
      const registration = await bench.adapter.register(instance);
      // The next two requests, whether it is still its own and the removal, go to agents that know nothing.
      await registration.deregister();
      expect(bench.calls()).toEqual(["register passing", "deregister", "deregister"]);
      expect([...agents.knowing]).toEqual([]);
    });

    it.each([
      ["rejects", "10.0.0.1", true],
      ["resolves", "10.0.0.2", false],
    ])("%s when no agent knows it and the catalogue lists an instance of its id at %s", async (_what, address, isRejected) => {
      const { bench, registration } = await registered();
      bench.script = (request, response) => {
        if (!request.path.startsWith("/v1/catalog/")) return refuse(response, 404, 'Unknown service ID "o1"');
        answer(response, [{ Node: "agent-2", ServiceID: "o1", ServiceAddress: address, ServicePort: 8081 }]);
      };
      const end = registration.deregister();
      if (!isRejected) return await end;
      await expect(end).rejects.toMatchObject({
        code: "ERR_MESH_REGISTRATION",
        message: expect.stringMatching(/deregistering o1: .* lists it at the node agent-2: the address leads to several agents$/),
      });
      // Another call may reach the right one.
      bench.script = ok;
      await registration.deregister();
    });
  });

  it("can be ended again after that failed, and renews nothing in between", async () => {
    const { bench, registration } = await registered();
    bench.script = (_request, response) => refuse(response, 500, "no");
    await expect(registration.deregister()).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      message: expect.stringMatching(/deregistering o1: HTTP 500/),
    });
    expect(await renewed(bench, 60_000)).toEqual(["deregister"]);
    bench.script = ok;
    await registration.deregister();
    expect(bench.calls()).toEqual(["deregister"]);
  });

  it("is not brought back by a renewal that was under way", async () => {
    const { bench, registration } = await registered();
    const held: (() => void)[] = [];
    bench.script = (request, response, number) => void held.push(() => forgetful(request, response, number));
    bench.clock.advance(5_000);
    await until("the renewal", () => held.length === 1);
    const late = registration.setStatus("up");
    const ended = registration.deregister();
    await settle();
    expect(bench.calls()).toEqual(["pass"]);
    bench.script = forgetful;
    held[0]?.();
    await Promise.all([late, ended]);
    await settle();
    expect(bench.calls()).toEqual(["deregister"]);
    expect(bench.clock.delays).toEqual([]);
  });

  it("rejects with the reason when the signal of deregister aborts", async () => {
    const { bench, registration } = await registered();
    bench.script = () => {};
    const controller = new AbortController();
    const ended = registration.deregister(controller.signal);
    const before = bench.server.seen.length;
    await until("the request", () => bench.server.seen.length >= before);
    controller.abort(new Error("enough"));
    await expect(ended).rejects.toThrow("enough");
    bench.script = ok;
    await registration.deregister();
  });
});
