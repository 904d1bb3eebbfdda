import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Discovery, MeshEvent, Upstream } from "../src/extend.ts";
import { createMesh, dns, type Mesh, roundRobin } from "../src/index.ts";
import { consul } from "../src/registries/consul.ts";
import { eureka } from "../src/registries/eureka.ts";
import { startBind } from "../test/servers/bind.ts";
import { startConsul } from "../test/servers/consul.ts";
import { startEureka } from "../test/servers/eureka.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport, median, progress, progressDone } from "./report.ts";

const service = "bench";
const eurekaRefreshMs = 2_000;
const dnsTtlS = 2;
/** The default of `consul()`, and a third of it. */
const ttlMs = 15_000;

/** Milliseconds, one for each registration. */
type Times = readonly number[];

/**
 * Measures the time from the moment an instance registers to the first request that is sent to it by another mesh, and to its return after Consul
 * has lost all its data.
 */
export async function registration(rounds = 60): Promise<BenchReport> {
  const few = Math.max(3, Math.round(rounds / 6));
  const { picked, bare } = await atConsul(rounds);
  const rows: (readonly [string, Times, number])[] = [
    ["Consul", picked, 250],
    ["Consul, a bare blocking query", bare, Number.NaN],
    [`Eureka, refreshMs ${eurekaRefreshMs}`, await atEureka(few), eurekaRefreshMs + 1_000],
    [`DNS, TTL ${dnsTtlS} s`, await atDns(few), dnsTtlS * 1_000 + 1_000],
    ["Consul, restarted empty", await afterLoss(few), ttlMs / 3 + 1_000],
  ];
  progressDone();
  const ratio = percentile(picked, 0.99) / percentile(bare, 0.99);
  return {
    bench: "registration",
    about:
      "milliseconds from the call of register() (DNS: from the zone's update; restarted: from Consul's first answer) to the first request that another mesh sends to the instance (restarted: to its being listed as passing)",
    node: measuredVersion(),
    rounds,
    columns: ["registry", "times", "median", "p99", "highest"],
    rows: rows.map(([name, times]) => [name, times.length, median(times), percentile(times, 0.99), Math.max(...times)]),
    bounds: [
      ...rows
        .filter(([, , bound]) => !Number.isNaN(bound))
        .map(([name, times, bound]) => atMost(`${name}, p99`, percentile(times, 0.99), bound)),
      atMost("Consul, p99 × that of a bare blocking query", ratio, 1.2),
    ],
    ratios: {},
  };
}

function percentile(times: Times, share: number): number {
  const sorted = [...times].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] as number;
}

/** The address of the instance with this number; all of them lead to one server. */
const hostOf = (number: number): string => `127.0.1.${1 + (number % 250)}`;

/** A server for all instances, and a mesh that sends requests as soon as it knows of a change, and notes the first one to each instance. */
async function calling(
  discovery: Discovery,
): Promise<{ readonly port: number; pick(host: string): Promise<number>; watch(): Promise<void> } & AsyncDisposable> {
  const server = createServer((_request, response) => response.end()).listen(0, "0.0.0.0");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const waiting = new Map<string, (at: number) => void>();
  const onAttempt = (_request: unknown, { endpoint }: Upstream): undefined => {
    waiting.get(endpoint.host)?.(performance.now());
    waiting.delete(endpoint.host);
  };
  const call = async (): Promise<void> => {
    const response = await mesh.fetch(`${service}/`).catch(() => undefined);
    await response?.text().catch(() => {});
  };
  const onEvent = (event: MeshEvent): void => {
    if (event.type !== "endpoints" || !event.endpoints.some(({ host }) => waiting.has(host))) return;
    // One for each of the two instances, in turn.
    setImmediate(() => void Promise.all([call(), call()]));
  };
  const mesh: Mesh = createMesh({ discovery, picker: roundRobin(), observers: [{ onAttempt, onEvent }] });
  return {
    port,
    pick: (host) => new Promise((resolve) => waiting.set(host, resolve)),
    // A service is watched from its first call.
    watch: call,
    async [Symbol.asyncDispose]() {
      await mesh.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function atConsul(rounds: number): Promise<{ readonly picked: Times; readonly bare: Times }> {
  const server = await startConsul();
  const registry = consul({ url: server.url });
  const stop = new AbortController();
  try {
    await using caller = await calling(registry);
    const { port } = caller;
    const staying = await registry.register({ service, host: "127.0.0.1", port, id: "stays" });
    const listed = new Map<string, (at: number) => void>();
    const polling = poll(`${server.url}/v1/health/service/${service}`, listed, stop.signal);
    await caller.watch();
    await pause(2_000);
    const times: { readonly picked: number; readonly bare: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      progress("registration", `Consul ${round + 1} of ${rounds}`);
      const host = hostOf(round);
      const seen = new Promise<number>((resolve) => listed.set(host, resolve));
      const first = caller.pick(host);
      const at = performance.now();
      const registered = await registry.register({ service, host, port, id: `moves-${round}` });
      times.push({ picked: (await first) - at, bare: (await seen) - at });
      await registered.deregister();
      // Two changes in a row are what a watch is asked without a pause.
      await pause(1_100);
    }
    stop.abort();
    await polling;
    await staying.deregister();
    return { picked: times.map(({ picked }) => picked), bare: times.map(({ bare }) => bare) };
  } finally {
    stop.abort();
    await registry.close();
    await server.stop();
  }
}

/** Blocking queries by hand, one after the other: what is possible at best. */
async function poll(url: string, listed: Map<string, (at: number) => void>, signal: AbortSignal): Promise<void> {
  for (let index = "0"; !signal.aborted; ) {
    try {
      const answer = await blockingQuery(`${url}?index=${index}&wait=60s&stale`, signal);
      index = answer.index;
      for (const { Service } of answer.entries) {
        listed.get(Service.Address)?.(performance.now());
        listed.delete(Service.Address);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

interface BlockingAnswer {
  readonly index: string;
  readonly entries: readonly { readonly Service: { readonly Address: string } }[];
}

function blockingQuery(url: string, signal: AbortSignal): Promise<BlockingAnswer> {
  return new Promise((resolve, reject) => {
    get(url, { signal }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("error", reject);
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ index: String(response.headers["x-consul-index"]), entries: JSON.parse(body) }));
    }).on("error", reject);
  });
}

async function atEureka(rounds: number): Promise<Times> {
  const server = await startEureka();
  const registry = eureka({ servers: [server.url], refreshMs: eurekaRefreshMs });
  try {
    await using caller = await calling(registry);
    const { port } = caller;
    const staying = await registry.register({ service, host: "127.0.0.1", port, id: "stays" });
    await caller.watch();
    await pause(2 * eurekaRefreshMs);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      progress("registration", `Eureka ${round + 1} of ${rounds}`);
      const host = hostOf(round);
      const first = caller.pick(host);
      const at = performance.now();
      const registered = await registry.register({ service, host, port, id: `moves-${round}` });
      times.push((await first) - at);
      await registered.deregister();
      await pause(Math.random() * eurekaRefreshMs);
    }
    await staying.deregister();
    return times;
  } finally {
    registry.close();
    await server.stop();
  }
}

async function atDns(rounds: number): Promise<Times> {
  const server = await startBind();
  try {
    const times: number[] = [];
    const discovery = dns({ type: "SRV", name: "{service}.test", servers: [server.address] });
    await using caller = await calling(discovery);
    const update = async (hosts: readonly number[]): Promise<void> => {
      await server.set(
        service,
        "SRV",
        hosts.map((number) => `0 10 ${caller.port} h${number}.test.`),
        dnsTtlS,
      );
    };
    for (let number = 0; number <= rounds; number++) await server.set(`h${number}`, "A", [hostOf(number)], dnsTtlS);
    await update([rounds]);
    await caller.watch();
    await pause(2_000 * dnsTtlS);
    for (let round = 0; round < rounds; round++) {
      progress("registration", `DNS ${round + 1} of ${rounds}`);
      const first = caller.pick(hostOf(round));
      await update([rounds, round]);
      const at = performance.now();
      times.push((await first) - at);
      await pause(Math.random() * 1_000 * dnsTtlS);
    }
    return times;
  } finally {
    await server.stop();
  }
}

/** The times until an instance is back at a Consul that was killed and started without its data. */
async function afterLoss(rounds: number): Promise<Times> {
  const server = await startConsul();
  const mesh = createMesh({ discovery: consul({ url: server.url }), observers: [] });
  try {
    await mesh.register({ service, host: "127.0.0.1", port: 80, id: "stays", check: { type: "ttl", ttlMs } });
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      progress("registration", `Consul restarted ${round + 1} of ${rounds}`);
      await pause(Math.random() * 3_000);
      await server.kill();
      await pause(Math.random() * 3_000);
      await server.restart();
      const at = performance.now();
      while (((await server.get(`/v1/health/service/${service}?passing`)) as readonly unknown[]).length === 0) await pause(20);
      times.push(performance.now() - at);
    }
    return times;
  } finally {
    await mesh.close();
    await server.stop();
  }
}
