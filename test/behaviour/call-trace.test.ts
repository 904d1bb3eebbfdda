import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Observer, type Picker, systemClock, type TraceEvent, type TraceMessage } from "../../src/extend.ts";
import {
  adaptive,
  type CallTrace,
  createMesh,
  leastRequest,
  maglev,
  peakEwma,
  prequal,
  random,
  ringHash,
  roundRobin,
  staticDiscovery,
  traceOf,
  weighted,
} from "../../src/index.ts";
import { doors } from "../support/doors.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { closedPort, serve, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

const traced = { mesh: { trace: true } };

/** An observer that keeps the traces that it is told of. */
function traces(): Observer & { readonly seen: CallTrace[] } {
  const seen: CallTrace[] = [];
  return {
    seen,
    onEvent: (event) => {
      if (event.type === "trace") seen.push((event satisfies TraceEvent).trace);
    },
  };
}

async function serving(status = 200): Promise<number> {
  return (await serve((_request, response) => void response.writeHead(status).end("x"))).port;
}

/** A picker that takes the candidates in the order of discovery. */
const first: Picker = { pick: ([upstream]) => upstream };

describe("the trace of a call", () => {
  it("has the candidates with their costs, the chosen one and why, and the end of the attempt", async () => {
    const ports = [await serving(), await serving(), await serving()];
    const mesh = meshOf({ orders: ports }, { observers: [] });
    for (let call = 0; call < 30; call++) await (await mesh.fetch("orders/")).text();
    const before = new Map(mesh.explain("orders")?.endpoints.map(({ address, picker }) => [address, picker?.["cost"]]));
    const response = await mesh.fetch("orders/a?token=secret", traced);
    const trace = traceOf(response) as CallTrace;
    await response.text();
    expect(trace).toMatchObject({ service: "orders", method: "GET", path: "/a", route: undefined, sampled: false });
    const [decision, ...others] = trace.decisions;
    expect(others).toEqual([]);
    expect(decision).toMatchObject({ kind: "first", attempt: 1, candidates: 3, result: { status: 200, ms: expect.any(Number) } });
    expect(decision?.reason).toMatch(/^(owed the most requests of the \d|the lowest cost)/);
    expect(decision?.compared.map(({ address }) => address).sort()).toEqual(ports.map((port) => `127.0.0.1:${port}`).sort());
    expect(decision?.compared.map(({ address }) => address)).toContain(decision?.address);
    for (const { address, state, inFlight, figures } of decision?.compared ?? []) {
      expect({ state, inFlight }).toEqual({ state: "available", inFlight: 0 });
      expect(figures["cost"]).toBe(before.get(address));
      const { cost, latencyMs, waitingMs, load, penaltyMs } = figures as Record<string, number>;
      expect(cost).toBeCloseTo(((latencyMs as number) + (waitingMs as number)) * (load as number) + (penaltyMs as number), 9);
    }
    expect(trace.attempts).toHaveLength(1);
    expect(JSON.stringify(trace)).not.toContain("secret");
  });

  it("has a decision for each retry, by fetch and by request, in responses and in errors", async () => {
    const bad = await serving(503);
    const mesh = meshOf({ orders: [bad, await serving()], gone: [await closedPort(), bad] }, { observers: [], picker: first });
    for (const result of [await mesh.fetch("orders/", traced), await mesh.request("orders/", traced)]) {
      expect(traceOf(result)?.decisions).toMatchObject([
        { kind: "first", attempt: 1, candidates: 2, reason: "the picker does not say why", result: { status: 503 } },
        { kind: "retry", attempt: 2, candidates: 1, result: { status: 200 } },
      ]);
      expect(traceOf(result)?.attempts).toHaveLength(2);
    }
    const mostly = meshOf({ gone: [await closedPort()] }, { observers: [], retry: { maxAttempts: 2 } });
    const error = await rejectionOf(mostly.fetch("gone/", traced));
    expect(traceOf(error)?.decisions).toMatchObject([
      { kind: "first", reason: "the only candidate", result: { code: "ERR_MESH_CONNECT" } },
      { kind: "retry", attempt: 2, result: { code: "ERR_MESH_CONNECT" } },
    ]);
  });

  it("tells of a hedge, and that the slower attempt was given up", async () => {
    let asked = 0;
    const answer = () => serve((_request, response) => void (asked++ !== 60 && response.end("x")));
    const seen = traces();
    // The delay of hedges is known after some seconds.
    let later = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + later };
    const mesh = meshOf(
      { orders: [(await answer()).port, (await answer()).port] },
      { observers: [seen], clock, picker: first, hedge: { minDelayMs: 5, maxDelayMs: 20, maxExtraLoad: 1 } },
    );
    for (let call = 0; call < 60; call++) await (await mesh.fetch("orders/")).text();
    later = 4_000;
    const response = await mesh.fetch("orders/", traced);
    await response.text();
    await until("the slower one is given up", () => traceOf(response)?.decisions[0]?.result !== undefined);
    expect(traceOf(response)?.decisions).toMatchObject([
      { kind: "first", attempt: 1 },
      { kind: "hedge", attempt: 1, result: { status: 200 } },
    ]);
    expect(seen.seen).toHaveLength(1);
  });

  it("goes on over redirects that are followed", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/from") response.writeHead(302, { location: "/to" }).end();
      else response.end("x");
    });
    const mesh = meshOf({ orders: server.port }, { observers: [] });
    const response = await mesh.fetch("orders/from", { ...traced, redirect: "follow" });
    const trace = traceOf(response);
    expect(trace?.decisions).toMatchObject([
      { kind: "first", result: { status: 302 } },
      { kind: "redirect", attempt: 1, result: { status: 200 } },
    ]);
    expect(trace?.attempts).toHaveLength(2);
    const refused = await rejectionOf(mesh.fetch("orders/from", { ...traced, redirect: "error" }));
    expect(traceOf(refused)?.decisions).toHaveLength(1);
  });

  it("is there where no instance was asked, and not where the call did not ask for it", async () => {
    const mesh = meshOf({ orders: await serving() }, { observers: [], discoveryTimeoutMs: 50 });
    expect(traceOf(await rejectionOf(mesh.fetch("nothing/", traced)))).toMatchObject({ decisions: [], attempts: [] });
    expect(traceOf(await mesh.fetch("orders/"))).toBeUndefined();
    expect(traceOf(await mesh.request("orders/", { mesh: { trace: false } }))).toBeUndefined();
    for (const other of [undefined, null, "text", new Error("other"), {}]) expect(traceOf(other)).toBeUndefined();
  });

  it("says which instance was full, and which one is probed", async () => {
    const [busy, free] = [await serve(() => {}), await serve()];
    const full = meshOf(
      { orders: [busy.port, free.port] },
      { observers: [], picker: first, concurrency: { maxInFlightPerInstance: 1 }, attemptTimeoutMs: false },
    );
    const waiting = rejectionOf(full.fetch("orders/", { signal: AbortSignal.timeout(500), mesh: { retry: false } }));
    await until("it is asked", () => busy.seen.length === 1);
    const response = await full.fetch("orders/", traced);
    expect(traceOf(response)?.decisions[0]?.reason).toMatch(/^127\.0\.0\.1:\d+ was full; the picker does not say why$/);
    await waiting;

    const port = await closedPort();
    const mesh = meshOf({ orders: [port, free.port] }, { observers: [], picker: first, breaker: { breakMs: 20, maxBreakMs: 20 } });
    await (await mesh.fetch("orders/")).text();
    await until("it waits for a probe", () => mesh.explain("orders")?.endpoints[0]?.state === "probing");
    const probe = await mesh.fetch("orders/", traced);
    expect(traceOf(probe)?.decisions).toMatchObject([
      { reason: expect.stringMatching(/^the probe of an instance that is out of rotation/), result: { code: "ERR_MESH_CONNECT" } },
      { kind: "retry", result: { status: 200 } },
    ]);
  });
});

const pickers: Readonly<Record<string, readonly [Picker, RegExp]>> = {
  adaptive: [adaptive(), /^owed|^the lowest cost/],
  leastRequest: [leastRequest(), /^few requests in flight/],
  maglev: [maglev(), /^the owner of the key's place/],
  peakEwma: [peakEwma(), /^the lower cost/],
  prequal: [prequal(), /^the lowest latency/],
  random: [random(), /^drawn at random/],
  ringHash: [ringHash(), /^the owner of the key's place/],
  roundRobin: [roundRobin(), /^its turn$/],
  weighted: [weighted(), /^its turn, by weight$/],
  "weighted by reports": [weighted({ by: "reported" }), /^its turn, by the weights that instances report$/],
  "one without explainPick": [first, /^the picker does not say why$/],
  "one whose explainPick throws": [
    {
      ...first,
      explainPick() {
        throw new Error("boom");
      },
    },
    /^the picker does not say why$/,
  ],
  "one whose explainPick returns something else": [
    { ...first, explainPick: () => ({ reason: 7, compared: [null, { upstream: {}, figures: 1 }] }) } as unknown as Picker,
    /^the picker does not say why$/,
  ],
  "one whose explain throws": [
    {
      ...first,
      explain() {
        throw new Error("boom");
      },
    },
    /^the picker does not say why$/,
  ],
};

describe("the reason of a decision", () => {
  it.each(Object.entries(pickers))("is that of the picker: %s", async (_name, [picker, reason]) => {
    const mesh = meshOf({ orders: [await serving(), await serving()] }, { observers: [], picker });
    for (let call = 0; call < 4; call++) await (await mesh.fetch("orders/")).text();
    const trace = traceOf(await mesh.fetch("orders/", { mesh: { trace: true, hashKey: "42" } }));
    expect(trace?.decisions).toHaveLength(1);
    expect(trace?.decisions[0]?.reason).toMatch(reason);
    expect(trace?.decisions[0]?.compared).toHaveLength(2);
  });

  it("comes with 32 of a long list, the chosen one among them", async () => {
    const port = await serving();
    const endpoints = Array.from({ length: 300 }, (_, index) => ({ id: `i${index}`, host: "127.0.0.1", port }));
    const last: Picker = { pick: (upstreams) => upstreams.at(-1) };
    const mesh = closing(createMesh({ discovery: staticDiscovery({ orders: endpoints }), observers: [], picker: last }));
    const [decision] = traceOf(await mesh.fetch("orders/", traced))?.decisions ?? [];
    expect(decision).toMatchObject({ endpoint: "i299", candidates: 300 });
    expect(decision?.compared).toHaveLength(32);
    expect(decision?.compared.some(({ endpoint }) => endpoint === "i299")).toBe(true);
  });
});

const switching = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
const answer = (socket: Socket, head: string) =>
  void socket.write(head.includes("upgrade: echo") ? switching : "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");

describe("traceRatio", () => {
  it.each(Object.entries(doors))("traces calls of every door, for observers and subscribers: %s", async (door, call) => {
    const { port } = await serveRaw(answer);
    const seen = traces();
    const messages: TraceMessage[] = [];
    const take = (message: unknown) => void messages.push(message as TraceMessage);
    subscribe("inmesh:trace", take);
    onTestFinished(() => void unsubscribe("inmesh:trace", take));
    const mesh = meshOf({ svc: port }, { observers: [seen], traceRatio: 1 });
    await call(mesh, { path: "/1" });
    await until("it is told", () => seen.seen.length > 0);
    const status = door === "upgrade" ? 101 : 200;
    const told = { service: "svc", method: "GET", path: "/1", sampled: true };
    expect(seen.seen).toMatchObject([{ ...told, decisions: [{ kind: "first", reason: "the only candidate", result: { status } }] }]);
    expect(messages).toMatchObject([{ ...told, decisions: [{ candidates: 1, address: `127.0.0.1:${port}` }] }]);
  });

  it.each(Object.entries(doors))("tells which rule of the routes has decided, and for which target: %s", async (_door, call) => {
    const { port } = await serveRaw(answer);
    const seen = traces();
    const v1 = { name: "v1", service: "svc", weight: 1 };
    const v2 = { name: "v2", service: "svc", weight: 0 };
    const routes = [
      { name: "other", match: { path: { exact: "/other" } }, to: "svc" },
      { name: "halves", match: { path: { exact: "/1" } }, split: { targets: [v1, v2] } },
    ];
    const mesh = meshOf({ svc: port }, { observers: [seen], traceRatio: 1, routes });
    await call(mesh, { path: "/1" });
    await call(mesh, { path: "/2" });
    await until("it is told", () => seen.seen.length > 1);
    expect(seen.seen).toMatchObject([
      { path: "/1", rule: "halves", target: "v1" },
      { path: "/2", rule: undefined, target: undefined },
    ]);
  });

  it("tells of a redirect that is followed the rule of the first request", async () => {
    const { port } = await serve((request, response) => {
      if (request.url === "/from") response.writeHead(302, { location: "/to" });
      response.end();
    });
    for (const [from, rule] of [
      ["/from", "first"],
      ["/elsewhere", undefined],
    ] as const) {
      const routes = [
        { name: rule ?? "none", match: { path: { exact: from } }, to: "svc" },
        { name: "second", match: { path: { exact: "/to" } }, to: "svc" },
      ];
      const mesh = meshOf({ svc: port }, { routes });
      const response = await mesh.fetch("svc/from", { ...traced, redirect: "follow" });
      expect(traceOf(response)?.decisions).toHaveLength(2);
      expect(traceOf(response)?.rule).toBe(rule);
    }
  });

  it.each(["agent", "upgrade"] as const)("tells why an attempt failed: %s", async (door) => {
    const seen = traces();
    const mesh = meshOf({ svc: await closedPort() }, { observers: [seen], traceRatio: 1 });
    await rejectionOf(doors[door](mesh));
    await until("it is told", () => seen.seen.length > 0);
    expect(seen.seen).toMatchObject([{ decisions: [{ result: { code: "ERR_MESH_CONNECT" } }] }]);
  });

  it("is a share of the calls, which a call leaves by `trace: false`", async () => {
    const seen = traces();
    let drawn = 0.99;
    const mesh = meshOf({ orders: await serving() }, { observers: [seen], traceRatio: 0.25, random: () => drawn, picker: first });
    for (const chance of [0.99, 0.1, 0.9, 0.24, 0.25]) {
      drawn = chance;
      await (await mesh.fetch(`orders/${chance}`)).text();
    }
    expect(seen.seen.map(({ path }) => path)).toEqual(["/0.1", "/0.24"]);
    drawn = 0;
    await (await mesh.fetch("orders/no", { mesh: { trace: false } })).text();
    await (await mesh.fetch("orders/yes", traced)).text();
    expect(seen.seen.map(({ path, sampled }) => [path, sampled]).slice(2)).toEqual([["/yes", false]]);
  });

  it("and `trace` are checked", async () => {
    const discovery = staticDiscovery({});
    expect(() => createMesh({ discovery, traceRatio: 1.5 })).toThrow(/traceRatio/);
    expect(() => createMesh({ discovery, traceRatio: Number.NaN })).toThrow(/traceRatio/);
    const mesh = meshOf({}, { observers: [] });
    expect(String(await rejectionOf(mesh.fetch("orders/", { mesh: { trace: 1 as never } })))).toMatch(/init\.mesh\.trace/);
  });

  it("costs nothing where no call is traced: no picker is asked why, and no event is made", async () => {
    const asked: string[] = [];
    const picker: Picker = {
      ...first,
      explainPick: () => {
        asked.push("explainPick");
        return { reason: "" };
      },
      explain: () => {
        asked.push("explain");
        return {};
      },
    };
    const seen = traces();
    const requests: unknown[] = [];
    const mesh = meshOf(
      { orders: [await serving(503), await serving()] },
      {
        observers: [seen],
        picker,
        interceptors: [
          (next) => (request) => {
            requests.push(request.trace);
            return next(request);
          },
        ],
      },
    );
    for (let call = 0; call < 10; call++) await (await mesh.fetch("orders/")).text();
    expect({ asked, seen: seen.seen, requests: [...new Set(requests)] }).toEqual({ asked: [], seen: [], requests: [undefined] });
  });
});
