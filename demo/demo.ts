import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createMesh, isMeshError, type Mesh, roundRobin } from "../src/index.ts";
import { Instances } from "./instances.ts";
import { type RegistryName, registryNames, startRegistry } from "./registry.ts";
import { Screen } from "./screen.ts";
import { Tally } from "./tally.ts";

const { values } = parseArgs({ options: { registry: { type: "string", default: "memory" }, json: { type: "string" } } });
if (!registryNames.includes(values.registry as RegistryName)) {
  console.error(`--registry must be one of ${registryNames.join(", ")}, not ${JSON.stringify(values.registry)}`);
  process.exit(2);
}

const getsPerSecond = 80;
const postsPerSecond = 8;
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort(signal));

console.log(
  `starting three instances of the service "shop"${values.registry === "memory" ? "" : ` and a real ${values.registry} server`} …`,
);
const registry = await startRegistry(values.registry as RegistryName);
const instances = new Instances(registry.selfRegistration);
const tally = new Tally();
const mesh = createMesh({
  discovery: registry.discovery,
  observers: [tally],
  attemptTimeoutMs: 400,
  // The default leaves a bad instance after a request or two: nothing of retries and breakers would be seen.
  picker: roundRobin(),
  breaker: { resetMs: 1_000, maxResetMs: 2_000 },
});
const calls = new Set<Promise<unknown>>();

try {
  await run(mesh);
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
} finally {
  await mesh.close();
  await instances.close();
  await registry.close();
}
if (interrupted.signal.aborted) {
  console.log("\nstopped; every process that the demo started has ended");
  process.exitCode = 130;
} else summarize();

/** The story: steady load, an instance is killed, comes back, another one hangs, recovers. */
async function run(mesh: Mesh): Promise<void> {
  const names = ["a", "b", "c"];
  const started = await Promise.all(names.map((name) => instances.start(name)));
  const ports = new Map(names.map((name, index) => [name, started[index] as number]));
  await registry.publish(ports);
  await firstEndpoints(mesh, ports.size);

  const screen = new Screen(
    mesh,
    tally,
    `inmesh demo — ${getsPerSecond} GET/s and ${postsPerSecond} POST/s to "shop" by ${registry.discovery.name ?? values.registry}`,
  );
  const timers = [
    setInterval(() => call("GET"), 1_000 / getsPerSecond),
    setInterval(() => call("POST"), 1_000 / postsPerSecond),
    setInterval(() => screen.draw(), process.stdout.isTTY ? 200 : 2_000),
  ];
  const act = async (afterMs: number, what: string, action: () => unknown) => {
    await sleep(afterMs, undefined, { signal: interrupted.signal });
    tally.note(what);
    await action();
  };
  try {
    tally.note("three instances share the load");
    await act(2_500, "instance b is killed (SIGKILL); the registry is not told", () => instances.kill("b"));
    await act(3_000, "instance b is started again", () => instances.start("b"));
    await act(3_000, "instance c answers only after 2 s from now on", () => instances.tell("c", { delayMs: 2_000 }));
    await act(3_000, "instance c is fast again", () => instances.tell("c", { delayMs: 0 }));
    await act(3_500, "the end", () => {});
  } finally {
    for (const timer of timers) clearInterval(timer);
  }
  await Promise.all(calls);
  screen.draw();
}

function call(method: "GET" | "POST"): void {
  const done = mesh
    .fetch(`shop/${method === "GET" ? "items" : "orders"}`, { method, ...(method === "POST" ? { body: "1 apple" } : undefined) })
    .then((response) => response.text())
    .catch(() => {})
    .finally(() => calls.delete(done));
  calls.add(done);
}

/** Until the registry lists all instances: with Eureka that takes a moment. */
async function firstEndpoints(mesh: Mesh, count: number): Promise<void> {
  const deadline = performance.now() + 8_000;
  while ((mesh.explain("shop")?.endpoints.length ?? 0) < count) {
    if (performance.now() > deadline) throw new Error(`the registry did not list all ${count} instances within 8 s`);
    await mesh.fetch("shop/warm-up").then(
      (response) => response.text(),
      () => {},
    );
    await sleep(100, undefined, { signal: interrupted.signal });
  }
  // The warm-up is not part of the story.
  Object.assign(tally.totals, { getOk: 0, getFailed: 0, attempts: 0, retries: 0, retriesDenied: 0 });
}

function summarize(): void {
  const { totals, failures } = tally;
  const maybe = failures.filter((failure) => isMeshError(failure) && failure.maybeExecuted).length;
  console.log(`
GET   ${totals.getOk} ok, ${totals.getFailed} failed
POST  ${totals.postOk} ok, ${totals.postFailed} failed${totals.postFailed > 0 ? ` (${maybe} of the failures may have been executed, so they were not repeated)` : ""}
${totals.attempts} attempts, ${totals.retries} of them retries on another instance; breakers opened ${totals.breakerOpened} times
${totals.getFailed === 0 ? "No GET failed." : "A GET FAILED:"}`);
  if (totals.getFailed > 0) console.log(failures);
  if (values.json !== undefined)
    writeFileSync(
      values.json,
      `${JSON.stringify({ registry: values.registry, ...totals, maybeExecuted: maybe, events: tally.events }, null, 2)}\n`,
    );
  process.exitCode = totals.getFailed === 0 ? 0 : 1;
}
