import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { InstanceStatus } from "../../src/registration/registrar.ts";
import { consul } from "../../src/registries/consul.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";
import { freePorts } from "../servers/ports.ts";
import { until } from "../support/until.ts";
import type { News, Order, ServiceSettings } from "./clustered-service.ts";

const timeout = 120_000;
let services = 0;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
}, timeout);

/** The workers of a service, as the test sees them. */
class Service {
  readonly #primary: ChildProcess;
  readonly news: News[] = [];
  readonly name: string;
  #forked = 0;

  constructor(settings: Partial<ServiceSettings> & { readonly consul: string }, env: NodeJS.ProcessEnv = {}) {
    this.name = `orders-${++services}`;
    const all: ServiceSettings = { service: this.name, ttlMs: 10_000, ...settings };
    this.#primary = fork(join(import.meta.dirname, "clustered-service.ts"), [JSON.stringify(all)], { env: { ...process.env, ...env } });
    this.#primary.on("message", (news: News) => this.news.push(news));
    ends.push(() => this.#primary.kill("SIGKILL"));
  }

  /** Starts a worker, and returns its number once it serves. */
  async start(): Promise<number> {
    const worker = this.fork();
    await until(`worker ${worker} serves`, () => this.#of(worker).some((news) => "started" in news), 60_000);
    return worker;
  }

  fork(): number {
    this.#order({ fork: true });
    return ++this.#forked;
  }

  signal(worker: number, signal: NodeJS.Signals | "disconnect"): void {
    this.#order({ worker, signal });
  }

  /** Has a worker set something on the registration, which it holds. */
  async set(worker: number, set: { readonly status?: InstanceStatus; readonly weight?: number }): Promise<void> {
    const times = (): number => this.#of(worker).filter((news) => "set" in news).length;
    const before = times();
    this.#order({ worker, set });
    await until(`worker ${worker} has set it`, () => times() > before, 10_000);
  }

  /** Resolves with the exit code, or the signal, of a worker. */
  async exit(worker: number): Promise<unknown> {
    await until(`worker ${worker} has ended`, () => this.#of(worker).some((news) => "exit" in news), 30_000);
    return this.#of(worker).flatMap((news) => ("exit" in news ? [news.exit] : []))[0];
  }

  /** The lines of a worker's log. */
  lines(worker: number): string {
    return this.#of(worker)
      .flatMap((news) => ("line" in news ? [news.line] : []))
      .join("\n");
  }

  /** The workers that have ever held the registration, in order. */
  get holders(): number[] {
    return this.news.flatMap((news) => ("line" in news && news.line.includes("holds the registration") ? [news.worker] : []));
  }

  /** The requests that a handler has seen. */
  get done(): string[] {
    return this.news.flatMap((news) => ("done" in news ? [news.done] : []));
  }

  #order(order: Order): void {
    this.#primary.send(order);
  }

  #of(worker: number): News[] {
    return this.news.filter((news) => news.worker === worker);
  }
}

/** Calls of a mesh, ten at a time, until it is ended. */
function load(url: string, service: string): { readonly end: () => Promise<{ sent: number; failures: string[]; workers: Set<string> }> } {
  const mesh = createMesh({ discovery: consul({ url }) });
  ends.push(() => mesh.close());
  const failures: string[] = [];
  const workers = new Set<string>();
  let sent = 0;
  let isOver = false;
  const caller = async (): Promise<void> => {
    while (!isOver) {
      try {
        const response = await mesh.fetch(`${service}/${++sent}`, { method: "POST", body: "order" });
        const text = await response.text();
        if (response.ok) workers.add(text);
        else failures.push(`${response.status} ${text}`);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const callers = Promise.all(Array.from({ length: 10 }, caller));
  return {
    async end() {
      isOver = true;
      await callers;
      return { sent, failures, workers };
    },
  };
}

/** Looks at the registry again and again; returns what it has seen. */
function watch(server: ConsulServer, service: Service): { readonly seen: Set<string>; readonly end: () => Promise<void> } {
  const seen = new Set<string>();
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      seen.add(await listed(server, service));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    seen,
    async end() {
      isOver = true;
      await looking;
    },
  };
}

/** The instances of the service, and how many of them get requests. */
async function listed(server: ConsulServer, { name }: Service): Promise<string> {
  const all = (await server.get(`/v1/health/service/${name}`)) as readonly { readonly Checks: readonly { readonly Status: string }[] }[];
  const up = all.filter(({ Checks }) => Checks.every(({ Status }) => Status === "passing"));
  return `${all.length} listed, ${up.length} up`;
}

/** The weight of the only instance, and whether it gets requests. */
async function standing(server: ConsulServer, service: Service): Promise<string> {
  const [instance] = (await server.get(`/v1/health/service/${service.name}`)) as readonly {
    readonly Service: { readonly Weights: { readonly Passing: number } };
  }[];
  return `${await listed(server, service)}, weight ${instance?.Service.Weights.Passing}`;
}

describe.skipIf(!available("consul"))("the workers of a server at a real Consul", { timeout }, () => {
  let server: ConsulServer;
  beforeAll(async () => {
    server = await startConsul();
  }, timeout);
  afterAll(() => server?.stop(), timeout);

  test("have one registration at all times, and are replaced one by one without a failed POST", async () => {
    const service = new Service({ consul: server.url });
    const workers = [await service.start(), await service.start(), await service.start()];
    expect(service.holders).toEqual([1]);
    const calls = load(server.url, service.name);
    const registry = watch(server, service);
    for (const worker of workers) {
      await service.start();
      service.signal(worker, "SIGTERM");
      expect(await service.exit(worker)).toBe(0);
    }
    await registry.end();
    const { sent, failures, workers: pids } = await calls.end();
    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(100);
    expect(new Set(service.done).size, "requests that were carried out twice").toBe(service.done.length);
    expect([...registry.seen]).toEqual(["1 listed, 1 up"]);
    expect(pids.size).toBeGreaterThan(3);
    expect(service.holders.length).toBeGreaterThan(1);
    expect(service.lines(1)).toMatch(/has left the registration to another worker[\s\S]*other workers serve on/);
  });

  test("leave as one process does when all are stopped at once", async () => {
    const service = new Service({ consul: server.url });
    const workers = [await service.start(), await service.start(), await service.start()];
    for (const worker of workers) service.signal(worker, "SIGTERM");
    for (const worker of workers) expect(await service.exit(worker)).toBe(0);
    expect(await listed(server, service)).toBe("0 listed, 0 up");
    const lines = workers.map((worker) => service.lines(worker)).join("\n");
    expect(lines.match(/other workers serve on/g)).toHaveLength(2);
    expect(lines.match(/or until all callers know/g)).toHaveLength(1);
  });

  test("keep the registration when the one that holds it is killed", async () => {
    const service = new Service({ consul: server.url, ttlMs: 2_000 });
    const [first] = [await service.start(), await service.start()];
    const registry = watch(server, service);
    service.signal(first, "SIGKILL");
    expect(await service.exit(first)).toBe("SIGKILL");
    const killedAt = performance.now();
    await until("the other one holds it", () => service.holders.length === 2, 10_000);
    expect(performance.now() - killedAt).toBeLessThan(2_000);
    // Longer than its time to live: it is renewed.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await registry.end();
    expect([...registry.seen]).toEqual(["1 listed, 1 up"]);
    service.signal(2, "SIGTERM");
    expect(await service.exit(2)).toBe(0);
    expect(await listed(server, service)).toBe("0 listed, 0 up");
  });

  test("hand on the status and the weight that the program has set, and not that of leaving", async () => {
    const service = new Service({ consul: server.url });
    const [first, second, third] = [await service.start(), await service.start(), await service.start()];
    await service.set(first, { weight: 7 });
    const registry = watch(server, service);
    service.signal(first, "SIGTERM");
    expect(await service.exit(first)).toBe(0);
    await until("another one holds it", () => service.holders.length === 2, 10_000);
    await registry.end();
    expect([...registry.seen]).toEqual(["1 listed, 1 up"]);
    expect(await standing(server, service)).toBe("1 listed, 1 up, weight 7");
    const [, holder = 0] = service.holders;
    expect(service.lines(holder)).toContain("with the weight 7");

    await service.set(holder, { status: "out-of-service" });
    service.signal(holder, "SIGKILL");
    await service.exit(holder);
    await until("the last one holds it", () => service.holders.length === 3, 10_000);
    await service.start();
    expect(await standing(server, service)).toBe("1 listed, 0 up, weight 7");
    const last = holder === second ? third : second;
    await service.set(last, { status: "up", weight: 3 });
    expect(await standing(server, service)).toBe("1 listed, 1 up, weight 3");
  });

  test("hand it on to one that starts while the last one leaves, but not that the last one is out of service", async () => {
    const service = new Service({ consul: server.url, lameDuckMs: 60_000 });
    const first = await service.start();
    const { port } = service.news.find((news) => "started" in news) as { readonly port: number };
    await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })).text();
    await service.set(first, { weight: 7 });
    service.signal(first, "SIGTERM");
    await until("it is out", async () => (await standing(server, service)) === "1 listed, 0 up, weight 7", 10_000);
    // A program that goes on to tell its status does not bring it back.
    await service.set(first, { status: "up" });
    expect(await standing(server, service)).toBe("1 listed, 0 up, weight 7");
    await service.start();
    expect(await service.exit(first)).toBe(0);
    await until("the second is in", async () => (await standing(server, service)) === "1 listed, 1 up, weight 7", 10_000);
  });

  test("begin anew, where all have been killed", async () => {
    const service = new Service({ consul: server.url, port: (await freePorts(1))[0] ?? 0 });
    const first = await service.start();
    await service.set(first, { status: "out-of-service", weight: 7 });
    service.signal(first, "SIGKILL");
    await service.exit(first);
    await service.start();
    await until("it is in", async () => (await standing(server, service)) === "1 listed, 1 up, weight 1", 10_000);
  });

  test("hand it to one that starts while the last one leaves", async () => {
    const service = new Service({ consul: server.url, lameDuckMs: 60_000 });
    const first = await service.start();
    // A caller that is no mesh: the lame duck takes its time.
    const { port } = service.news.find((news) => "started" in news) as { readonly port: number };
    await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })).text();
    service.signal(first, "SIGTERM");
    await until("it is out", async () => (await listed(server, service)) === "1 listed, 0 up", 10_000);
    const second = await service.start();
    expect(await service.exit(first)).toBe(0);
    await until("the second is in", async () => (await listed(server, service)) === "1 listed, 1 up", 10_000);
    expect(service.holders).toEqual([first, second]);
    expect(service.lines(first)).toContain("or until all callers know");
    expect(service.lines(first)).toContain("other workers serve on");
    // Callers that are no meshes may have found the second, though none has called it yet: it would serve on for its lame duck.
    service.signal(second, "SIGKILL");
    expect(await service.exit(second)).toBe("SIGKILL");
  });

  test("leave when the primary disconnects them", async () => {
    const service = new Service({ consul: server.url });
    const workers = [await service.start(), await service.start()];
    for (const worker of workers) {
      service.signal(worker, "disconnect");
      expect(await service.exit(worker)).toBe(0);
    }
    expect(await listed(server, service)).toBe("0 listed, 0 up");
  });

  test("register on their own, and say so, where they cannot meet", async () => {
    const service = new Service({ consul: server.url }, { TMPDIR: join(import.meta.dirname, "absent") });
    const worker = await service.start();
    expect(service.lines(worker)).toMatch(/registers on its own, since it cannot share a registration.*ENOENT.*TMPDIR/);
    expect(await listed(server, service)).toBe("1 listed, 1 up");
    service.signal(worker, "SIGTERM");
    expect(await service.exit(worker)).toBe(0);
    expect(await listed(server, service)).toBe("0 listed, 0 up");
  });
});
