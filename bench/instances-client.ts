// A process: node instances-client.ts PICKER PORT... Calls the instances at a steady rate and answers with the outcome of each call.

import type { Observer, Picker } from "../src/extend.ts";
import { adaptive, createMesh, leastRequest, peakEwma, random, roundRobin, staticDiscovery } from "../src/index.ts";
import { answerParent } from "./children.ts";

/** Calls at a rate for so many seconds; they do not wait for each other. */
export interface Load {
  readonly perSecond: number;
  readonly seconds: number;
}

/** A call: its beginning (milliseconds since the epoch), its duration to the end of the body, and whether it succeeded. */
export interface CallMade {
  readonly at: number;
  readonly ms: number;
  readonly isGood: boolean;
}

/** An attempt: its beginning, its duration and its port. */
export interface AttemptMade {
  readonly at: number;
  readonly ms: number;
  readonly port: number;
}

/** The outcome of a run of calls. */
export interface LoadReport {
  readonly calls: readonly CallMade[];
  readonly attempts: readonly AttemptMade[];
  /** The error of the last call that failed. */
  readonly failure: string | undefined;
}

/** The pickers that can be compared, with their defaults; `default` is the picker of a mesh without the option. */
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
  // Poisson arrivals. Each is timed from the moment at which the last one was due, so that a late timer loses no call.
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
