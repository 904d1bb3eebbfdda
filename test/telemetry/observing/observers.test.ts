import { describe, expect, it, onTestFinished } from "vitest";
import { localResponse } from "../../../src/core/buffered-body.ts";
import type { Interceptor } from "../../../src/core/dispatch.ts";
import type { CallEnd } from "../../../src/core/observing/call-observer.ts";
import { type EventHandlers, handleEvent, type MeshEvent } from "../../../src/core/observing/events.ts";
import type { AttemptEnd, Observer } from "../../../src/core/observing/observer.ts";
import { bindObservers, observersOf } from "../../../src/core/observing/served-mesh.ts";
import type { ServedRequest } from "../../../src/core/observing/served-request.ts";
import { createMesh } from "../../../src/mesh/mesh.ts";
import { Observers } from "../../../src/telemetry/observing/observers.ts";
import { memoryRegistry } from "../../../src/testing/memory-registry.ts";
import { closing, meshOf } from "../../support/mesh.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { closedPort, serve, serveRaw } from "../../support/servers.ts";
import { until } from "../../support/until.ts";

interface Seen {
  readonly log: string[];
  readonly calls: CallEnd[];
  readonly attempts: AttemptEnd[];
}

/** An observer that writes everything down. */
function recorder(): Observer & Seen {
  const log: string[] = [];
  const calls: CallEnd[] = [];
  const attempts: AttemptEnd[] = [];
  const handlers: EventHandlers = {
    retry: ({ request, reason, delayMs }) => log.push(`retry after ${request.attempt}: ${reason}, ${delayMs >= 0}`),
    "retry-denied": ({ denial }) => log.push(`no retry: ${denial}`),
    hedge: undefined,
    "hedge-won": undefined,
    endpoints: ({ service, endpoints, rejected, quarantined }) =>
      log.push(`endpoints ${service} ${endpoints.length} ${rejected.length} ${quarantined}`),
    "discovery-error": ({ service, error }) => log.push(`discovery ${service}: ${(error as Error).message}`),
    "instance-state": ({ service, upstream, state, former, rule }) =>
      log.push(`${service} ${upstream.id} from ${former} to ${state}: ${rule}`),
    trace: undefined,
    canary: undefined,
    breaker: ({ service, state }) => log.push(`breaker ${service} ${state}`),
    registration: ({ service, state, lost }) => log.push(`registration ${service} ${state} ${lost}`),
    serving: ({ service, state, cutOff }) => log.push(`serving ${service} ${state} ${cutOff}`),
    "server-connection": ({ encryption, refusal }) => log.push(`connection ${encryption} ${refusal}`),
    configured: ({ source, changed }) => log.push(`configured by ${source}: ${changed.join()}`),
    "configuration-refused": ({ source, error }) => log.push(`refused ${source}: ${error.message}`),
    mirror: ({ rule, outcome, omission }) => log.push(`mirror ${rule} ${outcome ?? omission}`),
    fault: ({ rule, fault }) => log.push(`fault ${rule} ${fault}`),
  };
  return {
    log,
    calls,
    attempts,
    onCall: (request) => {
      log.push(`call ${request.method} ${request.service}${request.path}`);
      const follower = {
        onEnd: (end: CallEnd) => {
          log.push("call ends");
          calls.push(end);
        },
      };
      return follower;
    },
    onAttempt: (request, upstream, call) => {
      log.push(`attempt ${request.attempt} ${upstream.id}${call === undefined ? " of nobody" : ""}`);
      return {
        headers: { "x-attempt": String(request.attempt) },
        onEnd: (end) => {
          log.push(`attempt ends ${end.record.endpoint}`);
          attempts.push(end);
        },
      };
    },
    onEvent: (event) => handleEvent(handlers, event),
    onClose: () => log.push("closed"),
  };
}

const noServerText = (port: number) => [{ id: "bad", host: "127.0.0.1", port }];

describe("observers", () => {
  it("are told everything of a call, in order", async () => {
    let finish = () => {};
    const server = await serve((_request, response) => {
      response.write("o");
      finish = () => void response.end("k");
    });
    const seen = recorder();
    const registry = memoryRegistry();
    registry.set("orders", [...noServerText(await closedPort()), { id: "good", host: "127.0.0.1", port: server.port }]);
    const mesh = createMesh({ discovery: registry, observers: [seen], picker: { pick: ([first]) => first } });
    const response = await mesh.fetch("orders/x", { method: "POST", body: "b" });
    expect(seen.calls).toEqual([]);
    finish();
    await response.text();
    await mesh.close();
    expect(seen.log).toEqual([
      "call POST orders/x",
      "endpoints orders 2 0 false",
      "attempt 1 bad",
      "attempt ends bad",
      "orders bad from available to ejected: connection refused",
      "retry after 1: ERR_MESH_CONNECT, true",
      "attempt 2 good",
      "attempt ends good",
      "call ends",
      "closed",
    ]);
    expect(seen.calls).toMatchObject([{ status: 200, error: undefined, cancelled: false, attempts: 2 }]);
    const [end] = seen.calls as [CallEnd];
    expect(end.totalMs).toBeGreaterThanOrEqual(end.headMs);
    expect(end.headMs).toBeGreaterThan(0);
    expect(seen.attempts).toMatchObject([
      {
        error: { code: "ERR_MESH_CONNECT" },
        cancelled: false,
        record: { endpoint: "bad", phase: "connect", code: "ECONNREFUSED", maybeExecuted: false },
      },
      { error: undefined, cancelled: false, record: { endpoint: "good", status: 200, maybeExecuted: true } },
    ]);
    expect(server.seen[0]?.headers["x-attempt"]).toBe("2");
  });

  it("are told of each attempt with its own record, also when the body of the first closes last", async () => {
    let turn = 0;
    const server = await serve((_request, response) => {
      if (++turn === 1) {
        // The rest of the first comes only after the second has been answered.
        response.writeHead(503, { "content-length": "4" }).write("so");
        setTimeout(() => response.end("rry"), 60);
      } else response.end("ok");
    });
    const seen = recorder();
    const mesh = meshOf({ orders: [server.port] }, { observers: [seen], retry: { baseDelayMs: 0 } });
    await (await mesh.fetch("orders/x")).text();
    await until("both have ended", () => seen.attempts.length === 2);
    expect(seen.attempts.map(({ record }) => record.status)).toEqual([200, 503]);
    expect(seen.calls).toMatchObject([{ status: 200, attempts: 2 }]);
  });

  it("that want nothing of a call that was answered are told of the others all the same", async () => {
    const server = await serve((_request, response) => void response.end("ok"));
    const ends: (readonly [number, number | undefined])[] = [];
    const seen: Observer = {
      onCall: () => ({ skipsAnswered: true, onEnd: ({ attempts, status }) => void ends.push([attempts, status]) }),
    };
    const cached: Interceptor = (next) => (request) =>
      request.path === "/cached" ? Promise.resolve(localResponse(203, new Uint8Array())) : next(request);
    const services = { orders: server.port, nobody: await closedPort() };
    const mesh = meshOf(services, { observers: [seen], interceptors: [cached], breaker: false, retry: false });
    await (await mesh.fetch("orders/x")).text();
    await rejectionOf(mesh.fetch("nobody/x"));
    await (await mesh.fetch("orders/cached")).text();
    expect(ends).toEqual([
      [1, undefined],
      [0, 203],
    ]);
    const both = meshOf(services, { observers: [seen, recorder()] });
    await (await both.fetch("orders/x")).text();
    expect(ends.at(-1)).toEqual([1, 200]);
  });

  it("are told of failures, of cut bodies and of aborts as what they are", async () => {
    const server = await serveRaw((socket, head) => {
      if (head.includes("/cut")) socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
      else if (head.includes("/reset")) socket.resetAndDestroy();
      else if (head.includes("/hang")) return;
      else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
    });
    const seen = recorder();
    const mesh = meshOf({ orders: server.port }, { observers: [seen], breaker: false });
    await rejectionOf((await mesh.fetch("orders/cut")).text());
    await rejectionOf(mesh.fetch("orders/reset", { method: "POST" }));
    await (await mesh.fetch("orders/cancelled")).body?.cancel();
    await rejectionOf(mesh.fetch("orders/hang", { signal: AbortSignal.timeout(250) }));
    await rejectionOf(mesh.fetch("orders/hang", { method: "POST", mesh: { timeoutMs: 250 } }));
    expect(seen.calls).toMatchObject([
      { status: 200, error: { code: "ERR_MESH_BODY" }, cancelled: false },
      { status: undefined, error: { code: "ERR_MESH_PROTOCOL" }, cancelled: false },
      { status: 200, cancelled: true },
      { status: undefined, error: { name: "TimeoutError" }, cancelled: true },
      { status: undefined, error: { code: "ERR_MESH_TIMEOUT" }, cancelled: false },
    ]);
    expect(seen.attempts.map(({ cancelled, record }) => [cancelled, record.phase, record.code])).toEqual([
      [false, "body", "UND_ERR_SOCKET"],
      [false, "headers", "ECONNRESET"],
      [true, "body", undefined],
      [true, "headers", "TimeoutError"],
      [false, "headers", "ERR_MESH_TIMEOUT"],
    ]);
    expect(seen.log).toContain("no retry: not-safe");
  });

  it("are told of discovery: errors, quarantine and what was rejected", async () => {
    const seen = recorder();
    const registry = memoryRegistry();
    registry.fail(new Error("no leader"));
    const mesh = closing(createMesh({ discovery: registry, observers: [seen], random: () => 0.01, discoveryTimeoutMs: 50 }));
    await rejectionOf(mesh.fetch("orders/x"));
    registry.set("orders", noServerText(1));
    registry.heal();
    await until("it has answered", () => seen.log.includes("endpoints orders 1 0 false"));
    expect(seen.log.slice(0, 2)).toEqual(["call GET orders/x", "discovery orders: no leader"]);
  });

  it("that throw disturb neither the call nor other observers, and are reported once", async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => void (warning.name === "MeshObserverWarning" && warnings.push(warning.message));
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    const fail = (): never => {
      throw new Error("mine");
    };
    const hooks = ["onCall", "onAttempt", "onEvent", "onClose"];
    const throwing = Object.fromEntries(hooks.map((hook) => [hook, fail])) as Observer;
    const late: Observer = { onCall: () => ({ onEnd: fail }), onAttempt: () => ({ onEnd: fail, around: fail }) };
    const afterwards: Observer = {
      onAttempt: () => ({
        around: (run) => {
          run();
          return fail();
        },
      }),
    };
    const seen = recorder();
    const server = await serve((_request, response) => response.end("ok"));
    const bad = await closedPort();
    for (const breaker of [{}, false] as const) {
      const mesh = meshOf({ orders: [bad, server.port] }, { observers: [throwing, late, afterwards, seen], random: () => 0, breaker });
      const before = server.seen.length;
      for (let call = 0; call < 3; call++) expect(await (await mesh.fetch("orders/x")).text()).toBe("ok");
      expect(server.seen.length - before).toBe(3);
      expect(mesh.explain("orders")?.endpoints.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
      await mesh.close();
    }
    expect(seen.calls).toHaveLength(6);
    expect(seen.log.filter((line) => line === "closed")).toHaveLength(2);
    await until("the warnings are out", () => warnings.length === 2);
    expect(warnings[0]).toBe("an observer of the mesh threw: Error: mine");
  });

  it("may run an attempt inside something of theirs, and what they return instead does not matter", async () => {
    const order: string[] = [];
    const around = (name: string): Observer => ({
      onAttempt: () => ({
        around: (run) => {
          order.push(`${name} in`);
          const sent = run();
          order.push(`${name} out`);
          return name === "b" ? (undefined as never) : sent;
        },
      }),
    });
    const server = await serve((_request, response) => response.end("ok"));
    const mesh = meshOf({ orders: server.port }, { observers: [around("a"), around("b")] });
    expect(await (await mesh.fetch("orders/x")).text()).toBe("ok");
    expect(order).toEqual(["b in", "a in", "a out", "b out"]);
    expect(server.seen).toHaveLength(1);
  });

  it("are not blamed for an attempt that fails inside something of theirs", async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => void (warning.name === "MeshObserverWarning" && warnings.push(warning.message));
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    const observer: Observer = { onAttempt: () => ({ around: (run) => run() }) };
    const mesh = meshOf({ orders: await closedPort() }, { observers: [observer, { ...observer }], retry: false });
    expect(await rejectionOf(mesh.fetch("orders/x"))).toMatchObject({ code: "ERR_MESH_CONNECT" });
    // A warning is emitted in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
  });

  it("that add a header which is none make the call fail, and the attempt still ends", async () => {
    const ends: AttemptEnd[] = [];
    const observer: Observer = { onAttempt: () => ({ headers: { "x-a": "1\r\nx-evil: 1" }, onEnd: (end) => void ends.push(end) }) };
    const server = await serve();
    const mesh = meshOf({ orders: server.port }, { observers: [observer] });
    expect(await rejectionOf(mesh.fetch("orders/x"))).toBeInstanceOf(TypeError);
    expect(ends).toMatchObject([{ record: { maybeExecuted: false, phase: "connect" } }]);
    expect(server.begun).toEqual([]);
    expect(mesh.explain("orders")?.endpoints).toMatchObject([{ inFlight: 0, failures: 0 }]);
  });

  it("are handed an event in their order, and none is made while no observer takes events", () => {
    const log: string[] = [];
    const observers = new Observers([{}, { onClose() {} }]);
    expect(observers.emit).toBeUndefined();
    let made = 0;
    const event = (): MeshEvent => {
      made++;
      return { type: "breaker", service: "orders", state: "open" };
    };
    observers.emit?.(event());
    const mesh = { zone: undefined, certificateExpiresAtMs: undefined, services: () => [], registrations: () => [], servers: () => [] };
    const leave = observers.join({ onEvent: ({ type }) => log.push(`first ${type}`) }, mesh);
    observers.join({ onEvent: (told) => log.push(`second ${"service" in told ? told.service : ""}`) }, mesh);
    observers.emit?.(event());
    leave();
    observers.emit?.(event());
    expect([made, log]).toEqual([2, ["first breaker", "second orders", "second orders"]]);
  });

  it("cost nothing when there are none: no call is followed", async () => {
    const server = await serve((_request, response) => response.end("ok"));
    const mesh = meshOf({ orders: server.port }, { observers: [{}, { onClose() {} }] });
    expect(await (await mesh.fetch("orders/x")).text()).toBe("ok");
  });

  it("follow a request that is served, whatever one of them does, and its handler runs exactly once", () => {
    const log: string[] = [];
    const follower = (name: string, around?: <T>(run: () => T) => T): Observer => ({
      onServe: ({ method }) => {
        log.push(`${name} sees ${method}`);
        return { ...(around === undefined ? {} : { around }), onEnd: ({ status }) => void log.push(`${name} ends ${status}`) };
      },
    });
    const twice = <T>(run: () => T): T => {
      run();
      return run();
    };
    const observers = new Observers([
      {
        onServe() {
          throw new Error("no");
        },
      },
      follower("a", twice),
      { onServe: () => undefined },
      follower("b", () => undefined as never),
    ]);
    const mesh = {};
    bindObservers(mesh, observers);
    const bound = observersOf(mesh);
    const followers = bound?.followServed({ method: "GET" } as ServedRequest) ?? [];
    expect(bound?.around(followers, () => log.push("handled"))).toBe(3);
    const failing = () => {
      throw new Error("of the handler");
    };
    expect(() => bound?.around(followers, failing)).toThrow("of the handler");
    bound?.ended(followers, { status: 204, refusedBy: undefined, isComplete: true, totalMs: 1 });
    expect(log).toEqual(["a sees GET", "b sees GET", "handled", "a ends 204", "b ends 204"]);
    expect(new Observers([{}]).followServed({} as ServedRequest)).toBeUndefined();
    expect(observersOf({})).toBeUndefined();
  });
});
