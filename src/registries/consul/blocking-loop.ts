import { fullJitter, sleepUnlessAborted } from "../../core/clock.ts";
import { nextIndex, noIndex, parseIndex } from "./blocking-index.ts";
import type { ConsulClient } from "./http/client.ts";
import { ConsulError } from "./http/consul-error.ts";
import type { RawCall } from "./http/raw-call.ts";
import type { ConsulSettings } from "./options.ts";
import { Pace } from "./pace.ts";

/** Consul lets a query wait up to a sixteenth longer, so that not all return at once. */
const waitSlack = 17 / 16;
const graceMs = 5_000;
const indexlessPollMs = 1_000;
const pauses = { baseMs: 500, capMs: 30_000 };

/** A question that is asked again and again, and the functions that hear of the answers. */
export interface BlockingLoop {
  readonly call: RawCall;
  readonly query?: Readonly<Record<string, string>>;
  /** Takes an answer; what it throws counts as a failed question. Resolves with `false` where the next question must not wait for a change. */
  readonly onAnswer: (body: unknown) => boolean | Promise<boolean>;
  readonly onError: (error: ConsulError) => void;
}

/** Asks again and again, each time until something has changed, until `signal` aborts. After a failure it pauses, longer each time, with full jitter. */
export async function askUntilAborted(
  client: ConsulClient,
  settings: ConsulSettings,
  loop: BlockingLoop,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, minIntervalMs, waitMs } = settings;
  const pace = new Pace(clock, minIntervalMs);
  let index = noIndex;
  let failures = 0;
  while (!signal.aborted) {
    let pauseMs = 0;
    const asked = index;
    const askedAt = clock.now();
    try {
      const { headers, body } = await ask(client, settings, loop, asked, signal);
      if (signal.aborted) return;
      const mayWait = await loop.onAnswer(body);
      failures = 0;
      const answered = parseIndex(headers["x-consul-index"]);
      index = mayWait ? nextIndex({ asked, answered, isEarly: clock.now() - askedAt < waitMs }) : noIndex;
      pauseMs = index === noIndex ? indexlessPollMs : 0;
    } catch (error) {
      if (signal.aborted) return;
      // The agent may be another one when it answers again.
      index = noIndex;
      pauseMs = fullJitter(random, failures++, pauses);
      loop.onError(error instanceof ConsulError ? error : new ConsulError(error instanceof Error ? error.message : String(error)));
    }
    pauseMs = Math.max(pauseMs, pace.take());
    if (pauseMs > 0 && !signal.aborted) await sleepUnlessAborted(clock, pauseMs, signal).catch(() => undefined);
  }
}

function ask(client: ConsulClient, settings: ConsulSettings, { call, query = {} }: BlockingLoop, index: bigint, signal: AbortSignal) {
  const { datacenter, waitMs, requestTimeoutMs, partition, namespace } = settings;
  const isBlocking = index !== noIndex;
  return client.ask({
    call,
    options: isBlocking ? { index: String(index), wait: `${Math.ceil(waitMs)}ms` } : {},
    query: {
      ...(datacenter === undefined ? {} : { dc: datacenter }),
      ...(partition === undefined ? {} : { partition }),
      ...(namespace === undefined ? {} : { ns: namespace }),
      ...query,
    },
    timeoutMs: isBlocking ? waitMs * waitSlack + graceMs : requestTimeoutMs,
    bodyTimeoutMs: isBlocking ? requestTimeoutMs : undefined,
    keepsProcess: !isBlocking,
    signal,
  });
}
