import { sleepUnlessAborted } from "../../core/clock.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import { keepIfSame } from "../../discovery/same-endpoints.ts";
import { isCertain, nextIndex, noIndex, parseIndex } from "./blocking-index.ts";
import type { ConsulClient } from "./client.ts";
import { ConsulError } from "./consul-error.ts";
import { endpointsOf } from "./entries.ts";
import { askHealth } from "./health-query.ts";
import type { ConsulSettings } from "./options.ts";
import { Pace } from "./pace.ts";

/** Pause between two questions where there is no index to wait at. */
const indexlessPollMs = 1_000;
/** Pause between two questions where too many others wait already. */
const crowdedPollMs = 5_000;

/** Counts the blocking queries of an adapter. */
export interface BlockingQueries {
  count: number;
}

/**
 * The blocking-query loop of one service: yields the current set at once, then the set of every answer, the same array
 * while nothing has changed. Ends when `signal` aborts, rejects with `ERR_MESH_DISCOVERY` on the first thing that goes wrong: the watcher starts it again.
 */
export async function* watchService(
  service: string,
  signal: AbortSignal,
  client: ConsulClient,
  settings: ConsulSettings,
  queries: BlockingQueries,
): AsyncGenerator<readonly Endpoint[], void, undefined> {
  const { clock, maxBlockingQueries, minIntervalMs } = settings;
  const pace = new Pace(clock, minIntervalMs);
  let index = noIndex;
  let last: readonly Endpoint[] | undefined;
  try {
    while (!signal.aborted) {
      const isCrowded = index !== noIndex && queries.count >= maxBlockingQueries;
      const asked = isCrowded ? noIndex : index;
      const askedAt = clock.now();
      const answer = await ask(asked);
      const answered = parseIndex(answer.index);
      const hasIndex = answered !== noIndex;
      index = nextIndex({ asked, answered, isEarly: clock.now() - askedAt < settings.waitMs });
      const endpoints = keepIfSame(last, endpointsOf(answer.entries, settings));
      const count = answer.entries.length;
      if (isCertain(asked, answered, count) || (endpoints === last && count > 0)) {
        last = endpoints;
        // Also when nothing changed: it confirms that the data is of now.
        yield endpoints;
      } else {
        // The same question without a wait is answered by the catalogue itself.
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

  async function ask(from: bigint): ReturnType<typeof askHealth> {
    if (from === noIndex) return await askHealth(client, settings, service, from, signal);
    queries.count++;
    try {
      return await askHealth(client, settings, service, from, signal);
    } finally {
      queries.count--;
    }
  }
}
