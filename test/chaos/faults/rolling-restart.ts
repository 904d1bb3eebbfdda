import { startConsul } from "../../servers/consul.ts";
import { atMost, noneFailed } from "../rig/claims.ts";
import { type Claim, type Fault, fault, type Outcome } from "../rig/fault.ts";
import type { Behaviour, InstanceConfig } from "../rig/instance-config.ts";
import { pause } from "../rig/now.ts";
import type { Instance } from "../rig/world.ts";

/** Handlers of 5 ms, and one in five of 400. */
export const handlers: Behaviour = { delayMs: 5, slowShare: 0.2, slowMs: 400 };

/** How long an instance took to leave. */
export interface Departure {
  readonly ms: number;
  readonly lameDuckMs: number;
}

/** Restarts all instances, one after another, as a deployment does. */
export async function restartAll(
  instances: readonly Instance[],
  onLeaving: (instance: Instance) => void = () => {},
  onBack: (instance: Instance) => void = () => {},
): Promise<readonly Departure[]> {
  const times: Departure[] = [];
  for (const instance of instances) {
    times.push(await instance.leave(() => onLeaving(instance)));
    await instance.restart();
    onBack(instance);
    await pause(100);
  }
  return times;
}

/** No call fails, and no instance takes longer than its longest request, its lame duck and half a second. */
export function restarted(outcome: Outcome, departures: readonly Departure[], lameDuckMs: number): readonly Claim[] {
  const longest = (key: keyof Departure): number => Math.max(...departures.map((departure) => departure[key]));
  return [
    noneFailed(outcome),
    atMost("milliseconds until an instance had left", longest("ms"), 400 + lameDuckMs + 500 + outcome.lagMs),
    // All callers are meshes, which say when they have let go.
    atMost("milliseconds of a lame duck", longest("lameDuckMs"), knownAfterMs + outcome.lagMs),
  ];
}

/** Callers that say so know that an instance has left within this time, in milliseconds. */
const knownAfterMs = 300;

/** A row in which five instances at a real Consul are restarted one after another. */
export function drainedAtConsul(id: string, name: string, config: Partial<InstanceConfig>): Fault {
  return fault({
    id,
    name,
    needs: ["consul"],
    minSeconds: 14,
    from: 0.1,
    async setup(world) {
      const consul = world.own(await startConsul());
      const registration = { kind: "consul", options: { url: consul.url } } as const;
      const instances = await world.shop(5, { registration, behaviour: handlers, ...config }, 0);
      const isH2 = config.protocol === "h2c";
      world.load = { discovery: registration, postShare: 1, ...(isH2 ? { mesh: { protocol: "h2" } } : {}) };
      return { instances, times: [] as readonly Departure[] };
    },
    async inject(state) {
      state.times = await restartAll(state.instances);
    },
    // What Consul needs by default.
    expect: (outcome, { times }) => restarted(outcome, times, 1_000),
  });
}
