import { handlers, restartAll } from "../test/chaos/faults/rolling-restart.ts";
import { fault } from "../test/chaos/rig/fault.ts";
import type { InstanceConfig } from "../test/chaos/rig/instance-config.ts";
import { runFault } from "../test/chaos/rig/run-fault.ts";
import { startConsul } from "../test/servers/consul.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport, median, progress, progressDone } from "./report.ts";

/** The ways to end a process upon SIGTERM. */
const ways: Readonly<Record<string, Partial<InstanceConfig>>> = {
  "no listener: the process ends": {},
  "server.close()": { end: { deregisters: false, waitMs: 0 } },
  "deregister, server.close()": { end: { deregisters: true, waitMs: 0 } },
  "deregister, wait 1 s, server.close()": { end: { deregisters: true, waitMs: 1_000 } },
  "serve of inmesh/server": { serve: { framework: "node" } },
};

const seconds = 14;
const rps = 300;

interface Restarted {
  readonly sent: number;
  readonly failed: number;
  readonly repeated: number;
  readonly stopMs: number;
}

/** Restarts five instances one after another under POSTs of two meshes, with each way to end a process. */
export async function stopping(rounds = 3): Promise<BenchReport> {
  const names = Object.keys(ways);
  const all = new Map<string, Restarted[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      progress("stopping", `round ${round + 1} of ${rounds}, ${name}`);
      all.get(name)?.push(await restarted(ways[name] ?? {}, round));
    }
  }
  progressDone();
  const sum = (name: string, key: keyof Restarted) => (all.get(name) ?? []).reduce((total, each) => total + each[key], 0);
  const served = names.at(-1) as string;
  return {
    bench: "stopping",
    about: `five instances at a real Consul are restarted one after another under ${rps} POSTs a second of two meshes, handlers of 5 ms and one in five of 400; all rounds together`,
    node: measuredVersion(),
    rounds,
    columns: ["upon SIGTERM", "POSTs", "failed", "repeated elsewhere", "ms until it is gone, median"],
    rows: names.map((name) => [
      name,
      sum(name, "sent"),
      sum(name, "failed"),
      sum(name, "repeated"),
      Math.round(median((all.get(name) ?? []).map(({ stopMs }) => stopMs))),
    ]),
    bounds: [atMost("failed POSTs with serve", sum(served, "failed"), 0)],
    ratios: {},
  };
}

async function restarted(config: Partial<InstanceConfig>, seed: number): Promise<Restarted> {
  let times: readonly number[] = [];
  const row = fault({
    id: "stopping",
    name: "stopping",
    from: 0.1,
    async setup(world) {
      const consul = world.own(await startConsul());
      const registration = { kind: "consul", options: { url: consul.url } } as const;
      world.load = { discovery: registration, postShare: 1 };
      return world.shop(5, { registration, behaviour: handlers, ...config }, 0);
    },
    async inject(instances) {
      times = (await restartAll(instances)).map(({ ms }) => ms);
    },
    expect: () => [],
  });
  const { outcome, reason } = await runFault(row, { seed: seed + 1, seconds, rps, clients: 2, has: () => true });
  if (outcome === undefined) throw new Error(`the instances could not be restarted: ${reason}`);
  const sent = outcome.ledger.length;
  const failed = outcome.ledger.filter(({ status }) => status !== 200).length;
  return { sent, failed, repeated: outcome.attempts.length - sent, stopMs: median(times) };
}
