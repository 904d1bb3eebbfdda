import { sleepUnlessAborted } from "../../core/clock.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import type { DiscoveryAnswer } from "../../discovery/discovery.ts";
import { keepIfSame } from "../../discovery/same-endpoints.ts";
import { isReliable, nextIndex, noIndex, parseIndex } from "./blocking-index.ts";
import { endpointsOf } from "./entries/entries.ts";
import { askHealth } from "./health-query.ts";
import type { ConsulClient } from "./http/client.ts";
import { ConsulError } from "./http/consul-error.ts";
import type { ConsulSettings } from "./options.ts";
import { Pace } from "./pace.ts";

/** Pause between two queries when there is no index to wait at. */
const indexlessPollMs = 1_000;
/** Pause between two queries when too many blocking ones are open. */
const crowdedPollMs = 5_000;

/** The state that the watches of one adapter share. */
export interface SharedWatches {
  /** Number of open blocking queries. */
  blockingQueries: number;
  /** By service, the highest index of an answer that listed instances. It outlives a watch, which may end with the agent. */
  readonly highest: Map<string, bigint>;
}

/**
 * The blocking-query loop of one service: yields the current set at once, then the set of every answer, the same array while nothing has
 * changed. Ends when `signal` aborts. Throws `ERR_MESH_DISCOVERY` on the first failure: the watcher starts it again.
 */
export async function* watchService(
  service: string,
  signal: AbortSignal,
  client: ConsulClient,
  settings: ConsulSettings,
  shared: SharedWatches,
): AsyncGenerator<DiscoveryAnswer, void, undefined> {
  const { clock, maxBlockingQueries, minIntervalMs } = settings;
  const pace = new Pace(clock, minIntervalMs);
  let index = noIndex;
  let last: readonly Endpoint[] | undefined;
  try {
    while (!signal.aborted) {
      const isCrowded = index !== noIndex && shared.blockingQueries >= maxBlockingQueries;
      const asked = isCrowded ? noIndex : index;
      const askedAt = clock.now();
      const answer = await ask(asked);
      const answered = parseIndex(answer.index);
      const hasIndex = answered !== noIndex;
      index = nextIndex({ asked, answered, isEarly: clock.now() - askedAt < settings.waitMs });
      const endpoints = keepIfSame(last, endpointsOf(answer.entries, settings));
      const count = answer.entries.length;
      if (isReliable(asked, answered, count) || (endpoints === last && count > 0)) {
        const certain = answer.isInformed && hasMovedOn(service, answered, count);
        last = endpoints;
        // Also when nothing changed: it confirms that the data is current.
        yield { endpoints, certain };
      } else {
        // Without a wait the catalogue itself answers.
        index = noIndex;
      }
      const pauseMs = Math.max(pace.take(), hasIndex ? 0 : indexlessPollMs, isCrowded ? crowdedPollMs : 0);
      if (pauseMs > 0 && !signal.aborted) await sleepUnlessAborted(clock, pauseMs, signal);
    }
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof ConsulError)) throw error;
    throw new MeshError("ERR_MESH_DISCOVERY", `${settings.name}: ${service}: ${describeError(error)}`, { service, cause: error });
  }

  /** Whether the index is past the highest one seen: a catalogue that has lost its data begins at a low index. */
  function hasMovedOn(name: string, answered: bigint, count: number): boolean {
    const known = shared.highest.get(name);
    if (count > 0 && answered > (known ?? noIndex)) shared.highest.set(name, answered);
    return known !== undefined && answered > known;
  }

  async function ask(from: bigint): ReturnType<typeof askHealth> {
    if (from === noIndex) return await askHealth(client, settings, service, from, signal);
    shared.blockingQueries++;
    try {
      return await askHealth(client, settings, service, from, signal);
    } finally {
      shared.blockingQueries--;
    }
  }
}
