import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createMesh, type Mesh, staticDiscovery, weighted } from "../../src/index.ts";
import type { CpuQuotas } from "./cpu-quota.ts";
import type { WeighedInstance } from "./weights-picture.ts";

/** The CPUs of the instances. */
export const quotas: Readonly<Record<string, number>> = { large: 0.3, middle: 0.15, small: 0.075 };

const service = "work";
const callsPerSecond = 80;
/** The time over which the share of an instance is counted, in milliseconds. */
const windowMs = 5_000;

/** Three instances of different size under a steady load of one mesh, which shares it out by their reports. */
export class WeightsDemo {
  readonly #quotas: CpuQuotas;
  readonly #children: ChildProcess[] = [];
  readonly #attempts: { readonly name: string; readonly at: number }[] = [];
  readonly #calls = new Set<Promise<unknown>>();
  #mesh: Mesh | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  failed = 0;

  constructor(cpuQuotas: CpuQuotas) {
    this.#quotas = cpuQuotas;
  }

  /** The processes of the instances. */
  get pids(): readonly number[] {
    return this.#children.flatMap(({ pid }) => pid ?? []);
  }

  /** Starts the instances and the load. */
  async start(): Promise<void> {
    const endpoints = await Promise.all(
      Object.entries(quotas).map(async ([id, cpus]) => {
        const args = [String(cpus), this.#quotas.kind];
        const child = fork(join(import.meta.dirname, "instance.ts"), args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
        this.#children.push(child);
        await once(child, "message");
        // Once it has loaded its modules, for which a limited process takes long.
        this.#quotas.limit(child.pid as number, cpus);
        child.send("begin");
        const [{ port }] = (await once(child, "message")) as [{ readonly port: number }];
        return { id, host: "127.0.0.1", port };
      }),
    );
    this.#mesh = createMesh({
      discovery: staticDiscovery({ [service]: endpoints }),
      picker: weighted({ by: "reported", blackoutMs: 2_000 }),
      observers: [{ onAttempt: (_request, { endpoint }) => this.#note(endpoint.id) }],
    });
    this.#timer = setInterval(() => this.#call(), 1_000 / callsPerSecond);
  }

  /** What each instance can do and gets. */
  instances(): readonly WeighedInstance[] {
    const since = performance.now() - windowMs;
    while ((this.#attempts[0]?.at ?? since) < since) this.#attempts.shift();
    const all = Math.max(1, this.#attempts.length);
    const sum = Object.values(quotas).reduce((total, cpus) => total + cpus, 0);
    const explained = new Map(this.#mesh?.explain(service)?.endpoints.map(({ endpoint, picker }) => [endpoint.id, picker]));
    return Object.entries(quotas).map(([name, cpus]) => {
      const { weight, report } = (explained.get(name) ?? {}) as { readonly weight?: number; readonly report?: string };
      const gets = this.#attempts.filter((attempt) => attempt.name === name).length / all;
      return { name, cpus, canDo: cpus / sum, gets, weight: report === "reported" ? weight : undefined, report: report ?? "none" };
    });
  }

  /** Ends everything that this object has started. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#quotas.release();
    await Promise.all(this.#calls);
    await this.#mesh?.close();
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill("SIGKILL");
        await once(child, "exit");
      }),
    );
    this.#quotas.release();
  }

  #note(name: string): undefined {
    this.#attempts.push({ name, at: performance.now() });
  }

  #call(): void {
    const call = (this.#mesh as Mesh)
      .fetch(`${service}/`)
      .then((response) => response.text())
      .catch(() => this.failed++)
      .finally(() => this.#calls.delete(call));
    this.#calls.add(call);
  }
}
