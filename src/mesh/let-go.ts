import { randomBytes } from "node:crypto";
import { whenAnswered } from "../attempts/lease.ts";
import { Cancellation } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import type { Dispatch } from "../core/dispatch.ts";
import { callerHeader, letGoPath } from "../core/http/own-headers.ts";
import { meshRequest } from "../core/mesh-request.ts";
import type { Upstream } from "../core/upstream.ts";

/** The longest time of the message, in milliseconds: whether it arrives changes nothing here. */
const timeoutMs = 1_000;

/**
 * Makes the function that tells an instance with `inmesh/server` that this mesh, `caller`, sends it nothing more, once that is so. It never throws and waits
 * for nothing.
 */
export function letGoThrough(service: string, send: Dispatch, caller: string, clock: Clock): (upstream: Upstream) => void {
  const tell = (upstream: Upstream): void => {
    const cancellation = new Cancellation();
    const timer = clock.setTimer(() => cancellation.cancel(new Error(`${upstream.address} did not answer in time`)), timeoutMs, false);
    const request = {
      ...meshRequest({ service, method: "POST", path: letGoPath, headers: { [callerHeader]: caller }, body: undefined, cancellation }),
      deadline: clock.now() + timeoutMs,
      tried: [upstream],
      upstream,
    };
    send(request)
      .then(
        ({ body }) => body.discard(),
        () => {},
      )
      .finally(() => clock.clearTimer(timer));
  };
  return (upstream) => whenAnswered(upstream, () => tell(upstream));
}

/** A name of a mesh that no other one has, and that tells nothing about it. */
export function randomCaller(): string {
  return randomBytes(9).toString("base64url");
}
