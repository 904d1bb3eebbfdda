// One client of the service under test, a process of its own: sends at a fixed rate whatever becomes of the calls (open loop), and
// keeps a ledger of what it was told.
import { readdirSync } from "node:fs";
import { getHeapStatistics } from "node:v8";
import { prometheus } from "../../../src/telemetry/prometheus.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import { blindSender, forgetfulSender } from "./bad-senders.ts";
import type { ClientConfig, ClientOrder } from "./client-config.ts";
import { knowHosts } from "./hosts.ts";
import { now, pause } from "./now.ts";
import type { ClientReport, LedgerEntry, ProcessFigures } from "./records.ts";
import { inventingSender, meshOf, meshSender, type Send } from "./sender.ts";
import { faultyTelemetry } from "./telemetry.ts";
import { watching } from "./watching.ts";

const tickMs = 2;

const config = JSON.parse(process.argv[2] ?? "{}") as ClientConfig;
const { name, rps, postShare, abortShare = 0, patienceMs = 11_000 } = config;
knowHosts(config.hosts ?? {});
const random = seededRandom(config.seed);
const seen = watching(name);
const telemetry = config.hasTelemetry === true ? faultyTelemetry() : undefined;
const mesh = meshOf(config, telemetry === undefined ? [seen.observer] : [seen.observer, telemetry.observer]);
const send = senderOf();
const ledger: LedgerEntry[] = [];
const open = new Set<LedgerEntry>();
const unhandled: string[] = [];
let lagMs = 0;
let ticker: NodeJS.Timeout | undefined;

process.on("unhandledRejection", (reason) => void unhandled.push(`unhandled rejection: ${String(reason)}`));
process.on("uncaughtException", (error) => void unhandled.push(`uncaught: ${String(error.stack)}`));
process.on("disconnect", () => process.exit());
process.on("message", (order: ClientOrder) => void obey(order));
// A first call, so that the service is watched and modules are loaded before the load begins. Its id is no part of the ledger.
await send(`${name}-first`, "GET", undefined);
seen.attempts.length = 0;
const metrics = (config.sender ?? "mesh") === "mesh" && config.hasMetrics !== false ? prometheus() : undefined;
if (metrics !== undefined) mesh.observe(metrics);
process.send?.({ type: "ready" });

function senderOf(): Send {
  const { sender = "mesh", discovery } = config;
  if (sender === "blind") return blindSender(discovery.kind === "static" ? discovery.endpoints : []);
  return sender === "forgetful"
    ? forgetfulSender(meshSender(mesh))
    : inventingSender(mesh, meshSender(mesh, config), config.inventsPerCall);
}

async function obey(order: ClientOrder): Promise<void> {
  switch (order.type) {
    case "start":
      return start();
    case "stop":
      return await stop();
    case "explain":
      return void process.send?.({ type: "explained", explanation: mesh.explain("shop") });
    case "measure":
      return void process.send?.({ type: "measured", figures: measure() });
    case "unread":
      return await leaveUnread(order.count, order.holdMs);
    case "telemetry":
      telemetry?.fail(order.fault);
      return void process.send?.({ type: "done" });
  }
}

function start(): void {
  const startedAt = now();
  let sent = 0;
  let tickedAt = startedAt;
  ticker = setInterval(() => {
    lagMs = Math.max(lagMs, now() - tickedAt - tickMs);
    tickedAt = now();
    const due = Math.floor(((now() - startedAt) / 1_000) * rps);
    for (; sent < due; sent++) call(sent);
  }, tickMs);
}

function call(number: number): void {
  const method = random() < postShare ? "POST" : "GET";
  const entry: LedgerEntry = { id: `${name}-${number}`, method, sentAt: now() };
  ledger.push(entry);
  open.add(entry);
  let signal: AbortSignal | undefined;
  if (random() < abortShare) {
    const controller = new AbortController();
    signal = controller.signal;
    setTimeout(() => controller.abort(), random() * 20);
  }
  void send(entry.id, method, signal).then((settled) => {
    Object.assign(entry, settled, { settledAt: now() });
    open.delete(entry);
  });
}

async function stop(): Promise<void> {
  clearInterval(ticker);
  const endAt = now() + patienceMs;
  while (open.size > 0 && now() < endAt) await pause(10);
  // A call that its caller gave up has settled before the attempt has ended that it made.
  while (metrics !== undefined && seen.attempts.some(({ endedAt: over }) => over === undefined) && now() < endAt) await pause(10);
  const scrape = metrics === undefined ? undefined : { metrics: await metrics.metrics() };
  const report: ClientReport = { ledger, attempts: seen.attempts, events: seen.events, unhandled, lagMs, ...scrape };
  process.send?.({ type: "report", report });
}

function measure(): ProcessFigures {
  globalThis.gc?.();
  // Not process.memoryUsage(), which needs a descriptor: a row may have used them all up.
  const heapUsed = getHeapStatistics().used_heap_size;
  const { user, system } = process.cpuUsage();
  return { heapMb: heapUsed / 2 ** 20, rssMb: residentBytes() / 2 ** 20, fds: descriptors(), cpuMs: (user + system) / 1_000 };
}

function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return Number.NaN;
  }
}

function descriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    // None is left to count them with, or there is no such directory.
    return process.getActiveResourcesInfo().length;
  }
}

async function leaveUnread(count: number, holdMs: number): Promise<void> {
  const before = measure();
  const calls = Array.from({ length: count }, () => mesh.fetch("shop/big", { headers: { "x-id": "big" } }).catch(() => undefined));
  const responses = (await Promise.all(calls)).filter((response) => response !== undefined);
  await pause(holdMs);
  const during = measure();
  await Promise.all(responses.map((response) => response.body?.cancel()));
  await pause(500);
  process.send?.({ type: "unread", answered: responses.length, before, during, after: measure() });
}
