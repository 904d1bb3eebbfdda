import { startChild } from "./children.ts";
import type { Load, LoadReport } from "./instances-client.ts";
import type { Order } from "./instances-server.ts";
import { atLeast, atMost, type Bound, progress } from "./report.ts";

const count = 3;
const rates: readonly number[] = [30, 150, 600];
const warmUpSeconds = 5;
const measuredSeconds = 15;

/** How evenly a picker spreads requests over instances that differ in nothing but how warm their code is: each is a process of its own. */
export async function equalInstances(picker: string): Promise<readonly Bound[]> {
  const bounds: Bound[] = [];
  for (const perSecond of rates) {
    progress("instances", `equal ones, ${picker}, ${perSecond} per second`);
    const { busiest, least } = await sharesAt(picker, perSecond);
    bounds.push(
      atMost(`${count} equal instances, ${perSecond} per second, ${picker}: the busiest × the mean`, busiest, 1.5),
      atLeast(`${count} equal instances, ${perSecond} per second, ${picker}: the least × the mean`, least, 0.6),
    );
  }
  return bounds;
}

async function sharesAt(picker: string, perSecond: number): Promise<{ readonly busiest: number; readonly least: number }> {
  await using stack = new AsyncDisposableStack();
  const ports: number[] = [];
  for (let instance = 0; instance < count; instance++) {
    const server = stack.use(await startChild<Order, readonly number[]>("instances-server.ts", ["1"]));
    await server.ask({ instance: 0, fault: "work" });
    ports.push(...server.ready);
  }
  const client = stack.use(await startChild<Load, LoadReport>("instances-client.ts", [picker, ...ports.map(String)]));
  const startedAt = performance.timeOrigin + performance.now();
  const { attempts, failure } = await client.ask({ perSecond, seconds: warmUpSeconds + measuredSeconds });
  if (failure !== undefined) throw new Error(`calls to instances that are well fail: ${failure}`);
  const measured = attempts.filter(({ at }) => at >= startedAt + 1_000 * warmUpSeconds);
  const shares = ports.map((port) => (count * measured.filter((attempt) => attempt.port === port).length) / measured.length);
  return { busiest: Math.max(...shares), least: Math.min(...shares) };
}
