import { sleepUnlessAborted } from "../../core/clock.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import { inTurns } from "../../core/json/in-turns.ts";
import { isCliffAfter } from "../../discovery/cliff.ts";
import type { DiscoveryAnswer } from "../../discovery/discovery.ts";
import type { RefreshListeners } from "../../discovery/refresh-listeners.ts";
import { keepIfSame } from "../../discovery/same-endpoints.ts";
import { isReliable, nextIndex, noIndex, parseIndex } from "./blocking-index.ts";
import { sidecarPeer } from "./connect/sidecar-peer.ts";
import type { TrustDomain } from "./connect/trust-domain.ts";
import { endpointsOf } from "./entries/entries.ts";
import { askHealth, type HealthAnswer } from "./health-query.ts";
import type { ConsulClient } from "./http/client.ts";
import { ConsulError } from "./http/consul-error.ts";
import { Lineage } from "./lineage.ts";
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
  /** Number of failed queries so far, each of which may be the end of a catalogue. */
  failures: number;
  /** By service. They outlive a watch, which may end with the agent. */
  readonly lineages: Map<string, Lineage>;
  readonly hints: RefreshListeners;
  /** Of a Consul Connect mesh, where its sidecars are watched. */
  readonly trustDomain: TrustDomain | undefined;
}

/**
 * The blocking-query loop of one service: yields the current set at once, then the set of every answer, the same array while nothing has
 * changed. Ends when `signal` aborts. Throws `ERR_MESH_DISCOVERY` on the first failure: the watcher starts it again.
 */
// Over 60 lines: one loop, whose steps share the index.
export async function* watchService(
  service: string,
  signal: AbortSignal,
  client: ConsulClient,
  settings: ConsulSettings,
  shared: SharedWatches,
): AsyncGenerator<DiscoveryAnswer, void, undefined> {
  const { clock, maxBlockingQueries, minIntervalMs } = settings;
  const pace = new Pace(clock, minIntervalMs);
  const lineage = shared.lineages.get(service) ?? new Lineage(clock);
  /** Ends the blocking query that is open, if one is. */
  let interrupt = (): void => {};
  const { trustDomain } = shared;
  const forget = shared.hints.add(service, () => interrupt());
  const letGo = trustDomain?.hold(() => interrupt());
  /** The trust domain that the last set was read by. */
  let domain: string | undefined;
  let index = noIndex;
  let last: readonly Endpoint[] | undefined;
  try {
    while (!signal.aborted) {
      const isCrowded = index !== noIndex && shared.blockingQueries >= maxBlockingQueries;
      const asked = isCrowded || domain !== trustDomain?.current ? noIndex : index;
      const askedAt = clock.now();
      const answer = await ask(asked);
      const answered = parseIndex(answer?.index);
      const hasIndex = answered !== noIndex || answer === undefined;
      if (answer === undefined) index = noIndex;
      else {
        index = nextIndex({ asked, answered, isEarly: clock.now() - askedAt < settings.waitMs });
        const { entries, isInformed } = answer;
        domain = await trustDomain?.read(signal);
        const peerOf = domain === undefined ? undefined : sidecarPeer({ ...settings, service, trustDomain: domain });
        const read = await inTurns(endpointsOf(entries, { ...settings, peerOf }), signal);
        const endpoints = keepIfSame(last, read.endpoints);
        const count = entries.length;
        if (isReliable(asked, answered, count) || (endpoints === last && count > 0)) {
          const certain = lineage.isCertain({ index: answered, count, isInformed, failures: shared.failures });
          if (lineage.hasListed) shared.lineages.set(service, lineage);
          // The streaming backend does not know whether it is up to date; the catalogue itself is asked, without a wait.
          if (asked !== noIndex && !certain && isCliffAfter(last ?? [], endpoints)) index = noIndex;
          last = endpoints;
          // Also when nothing changed: it confirms that the data is current.
          yield { endpoints, certain, leftOut: read.leftOut };
        } else {
          // Without a wait the catalogue itself answers.
          index = noIndex;
        }
      }
      const pauseMs = Math.max(pace.take(), hasIndex ? 0 : indexlessPollMs, isCrowded ? crowdedPollMs : 0);
      if (pauseMs > 0 && !signal.aborted) await sleepUnlessAborted(clock, pauseMs, signal);
    }
  } catch (error) {
    if (signal.aborted) return;
    shared.failures++;
    if (!(error instanceof ConsulError)) throw error;
    throw new MeshError("ERR_MESH_DISCOVERY", `${settings.name}: ${service}: ${describeError(error)}`, { service, cause: error });
  } finally {
    forget();
    letGo?.();
  }

  /** `undefined` where a hint has ended a query that waited for a change. */
  async function ask(from: bigint): Promise<HealthAnswer | undefined> {
    if (from === noIndex) return await askHealth(client, settings, service, from, signal);
    const waiting = new AbortController();
    const onAbort = (): void => waiting.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    let isInterrupted = false;
    interrupt = () => {
      isInterrupted = true;
      waiting.abort();
    };
    shared.blockingQueries++;
    try {
      return await askHealth(client, settings, service, from, waiting.signal);
    } catch (error) {
      if (isInterrupted && !signal.aborted) return undefined;
      throw error;
    } finally {
      interrupt = () => {};
      shared.blockingQueries--;
      signal.removeEventListener("abort", onAbort);
    }
  }
}
