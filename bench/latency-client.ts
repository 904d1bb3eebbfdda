// A process with one client: node latency-client.ts NAME PORT... Calls at a constant rate, whether answers are late or not, and answers with the
// latencies from the moments at which the calls were due.
import { answerParent } from "./children.ts";
import { type BenchClient, clients } from "./clients.ts";

/** Calls at a constant rate for so long. */
export interface Load {
  readonly perSecond: number;
  readonly seconds: number;
}

/** Milliseconds from the moment a call was due to the end of its body, and the client's CPU. */
export interface Latencies {
  readonly [field: string]: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** Microseconds of CPU per call. */
  readonly cpu: number;
}

/** The latency that a share of the calls did not exceed. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] as number;
}

/**
 * An open loop: each call is due at its moment, and its wait behind late ones counts. A loop that waits for answers would send nothing, and
 * measure nothing, while everything stands still (coordinated omission). Timers fire up to a millisecond late, for every client alike.
 */
async function drive(call: () => Promise<unknown>, { perSecond, seconds }: Load): Promise<Float64Array> {
  const total = Math.round(perSecond * seconds);
  const latencies = new Float64Array(total);
  const startAt = performance.now() + 5;
  const dueAt = (index: number): number => startAt + (index * 1000) / perSecond;
  let failure: unknown;
  const send = async (index: number): Promise<void> => {
    try {
      await call();
    } catch (error) {
      failure ??= error;
    }
    latencies[index] = performance.now() - dueAt(index);
  };
  const sent: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const now = performance.now();
      while (sent.length < total && dueAt(sent.length) <= now) sent.push(send(sent.length));
      if (sent.length === total) resolve();
      else setTimeout(tick, dueAt(sent.length) - now);
    };
    tick();
  });
  await Promise.all(sent);
  if (failure !== undefined) throw failure;
  return latencies.sort();
}

/** The mesh and the proxy balance. The other clients take the instances in turn. */
async function callOf(name: string, ports: readonly number[]): Promise<() => Promise<unknown>> {
  const create = clients[name];
  if (create === undefined) throw new Error(`no client is called ${JSON.stringify(name)}`);
  if (name.startsWith("mesh")) return (await create(ports)).get;
  const each = await Promise.all(ports.map((port) => create([port])));
  let turn = 0;
  return () => (each[turn++ % each.length] as BenchClient).get();
}

if (import.meta.main) {
  const [name = "", ...ports] = process.argv.slice(2);
  const call = await callOf(name, ports.map(Number));
  answerParent<Load, Latencies>({ p50: 0, p99: 0, p999: 0, cpu: 0 }, async (load) => {
    // Opens the connections, and compiles what the rate needs.
    await drive(call, { ...load, seconds: 1 });
    const before = process.cpuUsage();
    const sorted = await drive(call, load);
    const { user, system } = process.cpuUsage(before);
    return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), p999: quantile(sorted, 0.999), cpu: (user + system) / sorted.length };
  });
}
