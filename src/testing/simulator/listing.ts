import { sleepUnlessAborted } from "../../core/clock.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { Discovery } from "../../discovery/discovery.ts";
import type { SimulatedServer } from "./scenario.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

/** A server with its unique name. */
export interface NamedServer {
  readonly name: string;
  readonly script: SimulatedServer;
}

/** Every server of a scenario, with generated names for those without, and a number behind the names of copies. */
export function nameServers(servers: readonly SimulatedServer[]): readonly NamedServer[] {
  return servers.flatMap((script, index) => {
    const { name = `server-${index + 1}`, copies } = script;
    if (copies === undefined) return [{ name, script }];
    return Array.from({ length: copies }, (_, copy) => ({ name: `${name}-${copy + 1}`, script }));
  });
}

/** Discovery as the scenario says: tells each change when it comes. Clients share the lists, which may be long. */
export function scriptedDiscovery(servers: readonly NamedServer[], clock: SimulatedClock): Discovery {
  const endpoints = servers.map(({ name, script }, index) => endpointOf(name, script, index));
  const changes = [...new Set(servers.flatMap(({ script }) => [script.listedFromMs ?? 0, script.listedUntilMs ?? 0]))].sort(
    (a, b) => a - b,
  );
  const lists = new Map<number, readonly Endpoint[]>();
  const listFrom = (changeMs: number): readonly Endpoint[] => {
    const known = lists.get(changeMs);
    if (known !== undefined) return known;
    const isListed = ({ script: { listedFromMs = 0, listedUntilMs = Number.POSITIVE_INFINITY } }: NamedServer) =>
      listedFromMs <= changeMs && changeMs < listedUntilMs;
    const list = endpoints.filter((_, index) => isListed(servers[index] as NamedServer));
    lists.set(changeMs, list);
    return list;
  };
  return {
    name: "the scenario",
    emptyPolicy: "trust",
    async *watch(_service, signal) {
      for (const [index, changeMs] of changes.entries()) {
        if (changes[index + 1] !== undefined && (changes[index + 1] as number) <= clock.now()) continue;
        if (changeMs > clock.now()) await sleepUnlessAborted(clock, changeMs - clock.now(), signal);
        yield listFrom(changeMs);
      }
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  };
}

/** The endpoint of a server, with an address from 10.0.0.0/8 that is never connected to. */
function endpointOf(name: string, { zone, weight, priority, metadata }: SimulatedServer, index: number): Endpoint {
  return {
    id: name,
    host: `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`,
    port: 80,
    ...(zone === undefined ? undefined : { zone }),
    ...(weight === undefined ? undefined : { weight }),
    ...(priority === undefined ? undefined : { priority }),
    ...(metadata === undefined ? undefined : { metadata }),
  };
}
