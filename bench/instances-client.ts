// A process: node instances-client.ts PICKER PORT... Calls the instances at a steady rate and says how each call went.

import type { Observer, Picker } from "../src/extend.ts";
import { adaptive, createMesh, leastRequest, peakEwma, random, roundRobin, staticDiscovery } from "../src/index.ts";
import { answerParent } from "./children.ts";

/** Calls at so many per second for so long; they begin at times of their own and wait for nobody. */
export interface Load {
  readonly perSecond: number;
  readonly seconds: number;
}

/** A call: when it began (milliseconds since the epoch), how long it took until its body had ended, and whether it went well. */
export interface CallMade {
  readonly at: number;
  readonly ms: number;
  readonly isGood: boolean;
}

/** An attempt: when it began, how long it took, and to which port. */
export interface AttemptMade {
  readonly at: number;
  readonly ms: number;
  readonly port: number;
}

/** What a run of calls was. */
export interface LoadReport {
  readonly calls: readonly CallMade[];
  readonly attempts: readonly AttemptMade[];
  /** What the last call that failed said. */
  readonly failure: string | undefined;
}

/** The pickers that can be compared, with their defaults; `default` is whatever the mesh takes by itself. */
export const pickers: Readonly<Record<string, () => Picker | undefined>> = {
  adaptive: () => adaptive(),
  roundRobin: () => roundRobin(),
  random: () => random(),
  leastRequest: () => leastRequest(),
  peakEwma: () => peakEwma(),
  default: () => undefined,
};

const now = (): number => performance.timeOrigin + performance.now();

async function apply({ perSecond, seconds }: Load, call: () => Promise<boolean>): Promise<readonly CallMade[]> {
  const calls: CallMade[] = [];
  const underWay: Promise<void>[] = [];
  const one = async (): Promise<void> => {
    const at = now();
    const isGood = await call();
    calls.push({ at, ms: now() - at, isGood });
  };
  const endsAt = now() + seconds * 1_000;
  // Poisson arrivals, counted from the time the last one was due, so that a late timer makes no call fewer.
  let dueAt = now();
  while (dueAt < endsAt) {
    const waitMs = dueAt - now();
    if (waitMs >= 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
    underWay.push(one());
    dueAt -= (Math.log(1 - Math.random()) * 1_000) / perSecond;
  }
  await Promise.all(underWay);
  return calls;
}

if (import.meta.main) {
  const [name = "", ...ports] = process.argv.slice(2);
  const create = pickers[name];
  if (create === undefined) throw new Error(`no picker is called ${JSON.stringify(name)}; there are: ${Object.keys(pickers).join(", ")}`);
  const attempts: AttemptMade[] = [];
  const recorder: Observer = {
    onAttempt(_request, { endpoint: { port } }) {
      const at = now();
      return { onEnd: () => void attempts.push({ at, ms: now() - at, port }) };
    },
  };
  const picker = create();
  const mesh = createMesh({
    discovery: staticDiscovery({ users: ports.map((port) => ({ host: "127.0.0.1", port: Number(port) })) }),
    observers: [recorder],
    ...(picker === undefined ? undefined : { picker }),
  });
  let failure: string | undefined;
  const call = async (): Promise<boolean> => {
    try {
      const response = await mesh.fetch("users/42");
      await response.arrayBuffer();
      if (response.status >= 400) failure = String(response.status);
      return response.status < 400;
    } catch (error) {
      failure = String(error);
      return false;
    }
  };
  answerParent<Load, LoadReport>({ calls: [], attempts: [], failure }, async (load) => ({
    calls: await apply(load, call),
    attempts,
    failure,
  }));
}
