import { type Agent, type ClientRequest, get, type IncomingMessage, request } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { AttemptLedger } from "../../src/attempts/attempt-ledger.ts";
import { leaseOf } from "../../src/attempts/lease.ts";
import type { Picker } from "../../src/balancer/picker.ts";
import { systemClock } from "../../src/core/clock.ts";
import { isMeshError } from "../../src/core/errors.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { adaptive, roundRobin } from "../../src/index.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import { testRequest, testUpstream, virtualClock } from "../../src/testing/index.ts";
import { closing } from "../support/mesh.ts";
import { serve, serveRaw } from "../support/servers.ts";

/** A picker of the first candidate that notes what it is told. */
function noting(notes: string[]): Picker {
  return {
    pick: (upstreams) => upstreams[0],
    onAttempt() {
      notes.push("attempt");
      return {
        onHead: ({ status, headers }) => notes.push([status, ...headers].join(" ")),
        onEnd: (error) => notes.push(error === undefined ? "end" : isMeshError(error) ? error.code : "given up"),
      };
    },
  };
}

function notedLease(notes: string[]) {
  const ledger = new AttemptLedger({ picker: noting(notes), passiveHealth: undefined, clock: systemClock });
  const upstream = testUpstream();
  return leaseOf(upstream, ledger.begin(upstream, testRequest()));
}

/** Sends what `send` makes through the agent and reads the answer away. */
function answerOf(send: () => ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    send()
      .on("response", (response) => response.resume().on("end", () => resolve(response)))
      .on("error", reject);
  });
}

function getting(agent: Agent, path = "/"): Promise<number | undefined> {
  return answerOf(() => get(`http://users${path}`, { agent })).then(
    ({ statusCode }) => statusCode,
    () => undefined,
  );
}

describe("what a lease teaches the picker", () => {
  it("is nothing before the request has gone out", () => {
    const notes: string[] = [];
    const lease = notedLease(notes);
    lease.head(200, []);
    lease.settle("success");
    notedLease(notes).settle("neutral");
    expect(notes).toEqual([]);
  });

  it("is the head and the end, each once", () => {
    const notes: string[] = [];
    const lease = notedLease(notes);
    lease.sent();
    lease.sent();
    lease.head(200, ["x-load", "0.5"]);
    lease.head(200, []);
    lease.settle("success");
    lease.settle("failure");
    expect(notes).toEqual(["attempt", "200 x-load 0.5", "end"]);
  });

  it.each([
    ["an answer of 503, once", 503, "failure", ["attempt", "503", "end"]],
    ["a body that was cut off", 200, "failure", ["attempt", "200", "ERR_MESH_PROTOCOL"]],
    ["a body that the client gave up", 200, "neutral", ["attempt", "200", "given up"]],
    ["a connection that broke before the head", undefined, "failure", ["attempt", "ERR_MESH_PROTOCOL"]],
    ["a client that did not wait for the head", undefined, "neutral", ["attempt", "given up"]],
  ] as const)("is %s", (_what, status, outcome, expected) => {
    const notes: string[] = [];
    const lease = notedLease(notes);
    lease.sent();
    if (status !== undefined) lease.head(status, []);
    lease.settle(outcome);
    expect(notes).toEqual(expected);
  });

  it("is a connection that could not be made, though nothing was sent", () => {
    const notes: string[] = [];
    notedLease(notes).settle("failure", true);
    expect(notes).toEqual(["attempt", "ERR_MESH_CONNECT"]);
  });

  it("leaves out the time in which the client of an agent writes its body", async () => {
    const notes: string[] = [];
    const server = await serve();
    const mesh = createMesh({
      discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port: server.port }] }),
      observers: [],
      picker: noting(notes),
    });
    closing(mesh);
    const agent = mesh.agent({ keepAlive: false });
    onTestFinished(() => agent.destroy());
    const outgoing = request("http://users/", { agent, method: "POST" });
    const answered = answerOf(() => outgoing);
    outgoing.write("first");
    await expect.poll(() => server.begun.length, { timeout: 5_000 }).toBe(1);
    expect(notes).toEqual([]);
    outgoing.end("last");
    await answered;
    await expect.poll(() => notes.length, { timeout: 5_000 }).toBe(3);
    expect(notes[0]).toBe("attempt");
    expect(notes[1]).toMatch(/^200 (.* )?date /);
    expect(notes[2]).toBe("end");
  });

  it("is the head of an upgrade, and its end when the connection closes", async () => {
    const notes: string[] = [];
    const server = await serveRaw((socket) =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"),
    );
    const refusing = await serve((_incoming, outgoing) => void outgoing.writeHead(503).end());
    const [mesh, other] = [server.port, refusing.port].map((port) =>
      closing(createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port }] }), observers: [], picker: noting(notes) })),
    ) as [Mesh, Mesh];
    const upgrade = { origin: "http://users", path: "/chat", method: "GET", protocol: "echo" };
    const { socket } = await mesh.dispatcher().upgrade(upgrade);
    expect(notes).toEqual(["attempt", "101 connection upgrade upgrade echo"]);
    socket.destroy();
    await expect.poll(() => notes, { timeout: 5_000 }).toEqual(["attempt", "101 connection upgrade upgrade echo", "end"]);
    await expect(other.dispatcher().upgrade(upgrade)).rejects.toThrow();
    expect(notes.slice(3)).toEqual(["attempt", "503", "end"]);
  });

  it("leaves nothing on a kept connection", async () => {
    const server = await serve();
    const mesh = closing(createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port: server.port }] }), observers: [] }));
    const agent = mesh.agent({ maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const countsOf = () => {
      const [socket] = Object.values(agent.freeSockets).flat();
      return socket?.eventNames().map((name) => [name, socket.listenerCount(name)]);
    };
    await getting(agent);
    await expect.poll(countsOf, { timeout: 5_000 }).toBeDefined();
    const before = countsOf();
    for (let call = 0; call < 5; call++) await getting(agent);
    await expect.poll(countsOf, { timeout: 5_000 }).toEqual(before);
    expect(server.accepted).toBe(1);
  });

  it("leads the requests of an agent away from an instance that answers 500 at once", async () => {
    const [failing, good] = [
      await serve((_incoming, outgoing) => void outgoing.writeHead(500).end()),
      await serve((_incoming, outgoing) => void setTimeout(() => outgoing.end(), 5)),
    ];
    const mesh = createMesh({
      discovery: staticDiscovery({ users: [failing, good].map(({ port }) => ({ host: "127.0.0.1", port })) }),
      observers: [],
      picker: adaptive(),
    });
    closing(mesh);
    const agent = mesh.agent();
    onTestFinished(() => agent.destroy());
    for (let call = 0; call < 60; call++) await getting(agent);
    expect(failing.seen.length).toBeLessThan(12);
    expect(good.seen.length).toBeGreaterThan(48);
  });

  it("and counts an answer of 500 in the rates of the sweep, as for an attempt", async () => {
    const failing = await serve((_incoming, outgoing) => void outgoing.writeHead(500).end());
    const good = [await serve(), await serve(), await serve(), await serve()];
    const clock = virtualClock();
    const mesh = closing(
      createMesh({
        discovery: staticDiscovery({ users: [failing, ...good].map(({ port }) => ({ host: "127.0.0.1", port })) }),
        observers: [],
        picker: roundRobin(),
        clock,
        drainTimeoutMs: 0,
        ejection: { successRate: false, failurePercentage: { minCalls: 5, minInstances: 2 } },
      }),
    );
    const agent = mesh.agent();
    onTestFinished(() => agent.destroy());
    const inRotation = () => mesh.explain("users")?.endpoints.map(({ ejection }) => ejection?.rule);
    for (let call = 0; call < 50; call++) await getting(agent);
    await clock.advance(10_000);
    expect(inRotation()).toEqual(["failure percentage", undefined, undefined, undefined, undefined]);
    // What it answers to a probe says that it has not recovered.
    await clock.advance(60_000);
    for (let call = 0; call < 10; call++) await getting(agent);
    expect(mesh.explain("users")?.endpoints[0]?.state).toBe("ejected");
  });

  it("leaves an instance alone that asks an agent for it (Retry-After)", async () => {
    const busy = await serve((_incoming, outgoing) => void outgoing.writeHead(503, { "retry-after": "10" }).end());
    const good = [await serve(), await serve()];
    const ports = [busy, ...good].map(({ port }) => ({ host: "127.0.0.1", port }));
    const mesh = closing(createMesh({ discovery: staticDiscovery({ users: ports }), observers: [], picker: roundRobin() }));
    const agent = mesh.agent();
    onTestFinished(() => agent.destroy());
    for (let call = 0; call < 12; call++) await getting(agent);
    expect(mesh.explain("users")?.endpoints[0]?.ejection?.rule).toBe("retry-after");
    expect(busy.seen.length).toBe(1);
  });

  it("leads the requests of an agent away from an instance that cannot be reached, without a breaker", async () => {
    const good = await serve();
    const gone = await serve();
    await gone.close();
    const mesh = createMesh({
      discovery: staticDiscovery({ users: [gone, good].map(({ port }) => ({ host: "127.0.0.1", port })) }),
      observers: [],
      picker: adaptive(),
      breaker: false,
    });
    closing(mesh);
    const agent = mesh.agent();
    onTestFinished(() => agent.destroy());
    for (let call = 0; call < 60; call++) await getting(agent);
    expect(good.seen.length).toBeGreaterThan(48);
  });
});

describe("work outside the pipeline", () => {
  it("is waited for by close()", async () => {
    let answer: () => void = () => {};
    let arrived: () => void = () => {};
    const hasArrived = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await serve((_incoming, outgoing) => {
      answer = () => outgoing.end("late");
      arrived();
    });
    const mesh = createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port: server.port }] }), observers: [] });
    closing(mesh);
    const agent = mesh.agent({ keepAlive: false });
    const text = new Promise<string>((resolve, reject) => {
      get("http://users/", { agent }, (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => resolve(body));
      }).on("error", reject);
    });
    await hasArrived;
    let isClosed = false;
    const closed = mesh.close().then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    answer();
    expect(await text).toBe("late");
    await closed;
    agent.destroy();
  });
});
