import type { Outcome } from "./fault.ts";
import type { ClientEvent } from "./records.ts";

/** The fewest endpoints that a client knew at any time once it knew some. */
export function leastKnown({ events }: Outcome): number {
  return Math.min(...updates(events).map(({ what }) => endpointsOf(what).length));
}

/** How often the endpoints that the clients knew changed after the injection. */
export function churn({ events, injectedAt }: Outcome): number {
  return updates(events).filter(({ at }) => at >= injectedAt).length;
}

/** When the last of the clients knew exactly these endpoints, from the injection or the healing; undefined: one never did. */
export function knownExactly(outcome: Outcome, ids: readonly string[], from = outcome.healedAt ?? outcome.injectedAt): number | undefined {
  const wanted = [...ids].sort().join(",");
  const clients = [...new Set(outcome.attempts.map(({ client }) => client))];
  const times = clients.map((client) => {
    const own = updates(outcome.events).filter((each) => each.client === client);
    // Known already, and not changed since, is as good.
    const before = own.filter(({ at }) => at < from).at(-1);
    return before?.what === wanted ? from : own.find(({ at, what }) => at >= from && what === wanted)?.at;
  });
  if (times.length === 0 || times.includes(undefined)) return undefined;
  return Math.max(...(times as number[])) - from;
}

/** What the clients know at the end, one text a client. */
export function knownLast({ events, attempts }: Outcome): readonly string[] {
  const clients = [...new Set(attempts.map(({ client }) => client))];
  return clients.map(
    (client) =>
      updates(events)
        .filter((each) => each.client === client)
        .at(-1)?.what ?? "",
  );
}

function updates(events: readonly ClientEvent[]): readonly ClientEvent[] {
  return events.filter(({ kind }) => kind === "endpoints");
}

function endpointsOf(what: string): readonly string[] {
  return what === "" ? [] : what.split(",");
}
