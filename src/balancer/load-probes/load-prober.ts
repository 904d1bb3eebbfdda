import { Cancellation } from "../../core/cancellation.ts";
import type { Clock } from "../../core/clock.ts";
import type { Dispatch, MeshResponse } from "../../core/dispatch.ts";
import type { RequestHeaders } from "../../core/http/request-headers.ts";
import { meshRequest } from "../../core/mesh-request.ts";
import type { Upstream } from "../../core/upstream.ts";

/** Target and limits of a {@link LoadProber}. */
export interface LoadProberOptions {
  readonly service: string;
  readonly send: Dispatch;
  /** Path and query of a load probe. */
  readonly path: string;
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  readonly clock: Clock;
}

/** The response to a load probe with the time it took in milliseconds; `undefined` when there was none. */
export type LoadProbeAnswer = { readonly response: MeshResponse; readonly ms: number } | undefined;

const noHeaders: RequestHeaders = Object.freeze(Object.create(null) as Record<string, string>);
/** Bytes of a response body that are read and thrown away: the answer is in the head. A longer body closes the connection. */
const maxBodyBytes = 4_096;

/** Probes instances for their load: beside the requests, which never wait for it, and never more than a few at a time. */
export class LoadProber {
  readonly #options: LoadProberOptions;
  #inFlight = 0;

  constructor(options: LoadProberOptions) {
    this.#options = options;
  }

  /** Probes one instance and calls `onAnswer` once; `false` when too many probes are in flight already. Does not throw. */
  ask(upstream: Upstream, onAnswer: (answer: LoadProbeAnswer) => void): boolean {
    const { service, send, path, timeoutMs, maxInFlight, clock } = this.#options;
    if (this.#inFlight >= maxInFlight) return false;
    this.#inFlight++;
    const cancellation = new Cancellation();
    const startedAt = clock.now();
    let isSettled = false;
    const settle = (response: MeshResponse | undefined) => {
      response?.body.discard(maxBodyBytes);
      if (isSettled) return;
      isSettled = true;
      this.#inFlight--;
      clock.clearTimer(timer);
      onAnswer(response === undefined ? undefined : { response, ms: Math.max(0, clock.now() - startedAt) });
    };
    const onTimeout = () => {
      settle(undefined);
      cancellation.cancel(new Error(`${upstream.address} did not answer a probe within ${timeoutMs} ms`));
    };
    const timer = clock.setTimer(onTimeout, timeoutMs, false);
    const request = {
      ...meshRequest({ service, method: "GET", path, headers: noHeaders, body: undefined, cancellation }),
      deadline: startedAt + timeoutMs,
      tried: [upstream],
      upstream,
    };
    // In a later microtask: the request that the probe accompanies is sent first.
    Promise.resolve(request)
      .then(send)
      .then(settle)
      .catch(() => settle(undefined));
    return true;
  }
}
