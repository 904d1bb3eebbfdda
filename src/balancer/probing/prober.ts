import { Cancellation } from "../../core/cancellation.ts";
import type { Clock } from "../../core/clock.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import type { RequestHeaders } from "../../core/http/request-headers.ts";
import { meshRequest } from "../../core/mesh-request.ts";
import type { Upstream } from "../../core/upstream.ts";

/** What a {@link Prober} needs. */
export interface ProberOptions {
  readonly service: string;
  readonly send: Dispatch;
  /** What is asked for: path and query. */
  readonly path: string;
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  readonly clock: Clock;
}

/** What came back, with the milliseconds that it took; `undefined` when nothing did. */
export type ProbeAnswer = { readonly response: MeshResponse; readonly ms: number } | undefined;

const noHeaders: RequestHeaders = Object.freeze(Object.create(null) as Record<string, string>);
/** An answer to a probe is its head: a body beyond this closes the connection. */
const maxBodyBytes = 4_096;

/** Asks instances for their load, on the side: never on the way of a request, and never more than a few at a time. */
export class Prober {
  readonly #options: ProberOptions;
  #inFlight = 0;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Asks one instance and calls `onAnswer` once; `false` when too many are being asked already. Does not throw. */
  ask(upstream: Upstream, onAnswer: (answer: ProbeAnswer) => void): boolean {
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
    const timer = clock.setTimer(
      () => {
        settle(undefined);
        cancellation.cancel(new Error(`${upstream.address} did not answer a probe within ${timeoutMs} ms`));
      },
      timeoutMs,
      false,
    );
    const request: MeshRequest = {
      ...meshRequest({ service, method: "GET", path, headers: noHeaders, body: undefined, cancellation }),
      deadline: clock.now() + timeoutMs,
      tried: [upstream],
      upstream,
    };
    // Behind the request that it was asked for: that one is sent first.
    Promise.resolve(request)
      .then(send)
      .then(settle)
      .catch(() => settle(undefined));
    return true;
  }
}
