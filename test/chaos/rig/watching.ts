import type { Observer } from "../../../src/extend.ts";
import { now } from "./now.ts";
import type { AttemptTrace, ClientEvent } from "./records.ts";

/** What an observer inside a client has seen. */
export interface Watching {
  readonly observer: Observer;
  readonly attempts: AttemptTrace[];
  readonly events: ClientEvent[];
}

/** Follows every attempt and every change of a client's picture of the service. */
export function watching(client: string): Watching {
  const attempts: AttemptTrace[] = [];
  const events: ClientEvent[] = [];
  const note = (kind: ClientEvent["kind"], what: string) => void events.push({ at: now(), client, kind, what });
  let known = "";
  const observer: Observer = {
    onAttempt(request, upstream) {
      const trace: AttemptTrace = {
        client,
        id: request.headers["x-id"] ?? "?",
        method: request.method,
        upstream: bare(upstream.id),
        startedAt: now(),
        isProbe: upstream.state !== "available",
      };
      attempts.push(trace);
      return {
        onEnd({ record, error, cancelled }) {
          trace.endedAt = now();
          trace.phase = record.phase;
          trace.isFailed = (error !== undefined && !cancelled) || (record.status ?? 200) >= 500;
          if (record.code !== undefined) trace.code = record.code;
          if (record.status !== undefined) trace.status = record.status;
        },
      };
    },
    onEvent(event) {
      if (event.type === "discovery-error") note(event.type, String(event.error));
      else if (event.type === "instance-state") note(event.type, `${bare(event.upstream.id)} ${event.state}`);
      else if (event.type === "breaker") note(event.type, `service ${event.state}`);
      else if (event.type === "endpoints") {
        const list = event.endpoints
          .map(({ id }) => bare(id))
          .sort()
          .join(",");
        if (list === known) return;
        known = list;
        note("endpoints", list);
      }
    },
  };
  return { observer, attempts, events };
}

/** Consul's ids have the node in front. */
function bare(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}
