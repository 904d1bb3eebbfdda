import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createMesh, isMeshError, type Mesh, roundRobin } from "../../index.ts";
import { exitCodes } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import type { Values } from "../option-table.ts";
import { readWhole } from "../option-values.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { demoOptions } from "./demo-options.ts";
import type { DemoRegistry } from "./demo-registry.ts";
import { Instances } from "./instances.ts";
import { Load } from "./load.ts";
import { openPage } from "./page.ts";
import { Screen } from "./screen.ts";
import { tellStory } from "./story.ts";
import { Tally } from "./tally.ts";

/** What the demo runs with. */
export interface DemoRun {
  readonly values: Values<typeof demoOptions>;
  readonly terminal: Terminal;
  readonly io: Io;
  /** What the registry is called in the report. */
  readonly registryName: string;
  readonly startRegistry: () => Promise<DemoRegistry>;
}

/** Three instances under load, one is killed, one hangs. Resolves with the exit code: 1 when a GET failed. Every process it starts has ended then. */
export async function runDemo({ values, terminal, io, registryName, startRegistry }: DemoRun): Promise<number> {
  const seconds = values.seconds === undefined ? undefined : readWhole("seconds", values.seconds, 1, 86_400);
  const port = values["admin-port"] === undefined ? undefined : readWhole("admin-port", values["admin-port"], 0, 65_535);
  const withPage = values.admin === true || port !== undefined;
  const server = registryName === "memory" ? "" : ` and a real ${registryName} server`;
  await terminal.line(`starting three instances of the service "shop"${server} …`);
  const registry = await startRegistry();
  const instances = new Instances(registry.selfRegistration);
  const tally = new Tally();
  const mesh = createMesh({
    discovery: registry.discovery,
    observers: [tally],
    attemptTimeoutMs: 400,
    // The default leaves a bad instance after a request or two: nothing of retries and breakers would be seen.
    picker: roundRobin(),
    breaker: { breakMs: 1_000, maxBreakMs: 2_000 },
  });
  const load = new Load(mesh);
  // Of `--seconds` and of Ctrl-C.
  const ending = new AbortController();
  const onAbort = (): void => ending.abort();
  io.signal.addEventListener("abort", onAbort, { once: true });
  if (io.signal.aborted) onAbort();
  let timer: NodeJS.Timeout | undefined;
  try {
    const ports = await startAll(instances);
    await registry.publish(ports);
    await firstEndpoints(mesh, ports.size, ending.signal);
    tally.reset();
    if (withPage) await terminal.line(`live page: ${await openPage(mesh, port)}`);
    const title = `inmesh demo — ${load.describe()} by ${registry.discovery.name ?? registryName}`;
    const screen = new Screen({ mesh, tally, title, terminal });
    if (seconds !== undefined) timer = setTimeout(onAbort, 1_000 * seconds);
    load.start();
    const drawing = setInterval(() => void screen.draw().catch(() => {}), terminal.isInteractive ? 200 : 2_000);
    try {
      do await tellStory(instances, (what) => tally.note(what), ending.signal);
      while (values.forever === true || seconds !== undefined);
    } finally {
      clearInterval(drawing);
      load.stop();
    }
    await load.settled();
    await screen.draw();
  } catch (error) {
    if (!ending.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    io.signal.removeEventListener("abort", onAbort);
    load.stop();
    if (!io.signal.aborted) await load.settled();
    await mesh.close();
    await instances.close();
    await registry.close();
  }
  if (io.signal.aborted) {
    await terminal.text("\nstopped; every process that the demo started has ended");
    return exitCodes.interrupted;
  }
  return summarize(tally, { file: values.json, registryName, terminal });
}

async function startAll(instances: Instances): Promise<ReadonlyMap<string, number>> {
  const names = ["a", "b", "c"];
  const started = await Promise.all(names.map((name) => instances.start(name)));
  return new Map(names.map((name, index) => [name, started[index] as number]));
}

/** Until the registry lists all instances: with Eureka that takes a moment. */
async function firstEndpoints(mesh: Mesh, count: number, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + 8_000;
  while ((mesh.explain("shop")?.endpoints.length ?? 0) < count) {
    if (performance.now() > deadline) throw new Error(`the registry did not list all ${count} instances within 8 s`);
    await mesh.fetch("shop/warm-up").then(
      (response) => response.text(),
      () => {},
    );
    await sleep(100, undefined, { signal });
  }
}

async function summarize(
  { totals, failures, events }: Tally,
  { file, registryName, terminal }: { readonly file: string | undefined; readonly registryName: string; readonly terminal: Terminal },
): Promise<number> {
  const maybe = failures.filter((failure) => isMeshError(failure) && failure.maybeExecuted).length;
  await terminal.text(`
GET   ${totals.getOk} ok, ${totals.getFailed} failed
POST  ${totals.postOk} ok, ${totals.postFailed} failed${totals.postFailed > 0 ? ` (${maybe} of the failures may have been executed, so they were not repeated)` : ""}
${totals.attempts} attempts, ${totals.retries} of them retries on another instance; breakers opened ${totals.breakerOpened} times
${totals.getFailed === 0 ? "No GET failed." : "A GET FAILED:"}`);
  if (totals.getFailed > 0) for (const failure of failures) await terminal.line(String(failure));
  if (file !== undefined)
    await writeFile(file, `${JSON.stringify({ registry: registryName, ...totals, maybeExecuted: maybe, events }, null, 2)}\n`);
  return totals.getFailed === 0 ? exitCodes.ok : exitCodes.failed;
}
