import { sleepUnlessAborted } from "../../core/clock.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import { EurekaRegistration, Refusal, type RegistrationOptions } from "./registration.ts";

/** What a registration needs, and how long the first try of it may take. */
export interface RegisterOptions extends RegistrationOptions {
  readonly registerTimeoutMs: number;
}

const backoffBaseMs = 100;
const backoffCapMs = 2_000;

/**
 * Registers an instance, trying again with full jitter until `registerTimeoutMs` have passed, and starts its heartbeat.
 * Rejects with `ERR_MESH_REGISTRATION`, at once when a server refuses it, or with the signal's reason.
 */
export async function registerInstance(options: RegisterOptions, signal?: AbortSignal): Promise<EurekaRegistration> {
  signal?.throwIfAborted();
  const { registerTimeoutMs, description, clock } = options;
  const registration = new EurekaRegistration(options);
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = clock.setTimer(() => stop.abort(new Error(`no answer within ${registerTimeoutMs} ms`)), registerTimeoutMs);
  try {
    await announce(registration, options, stop.signal);
    registration.keep();
    return registration;
  } catch (cause) {
    // A call that was cut off may have arrived all the same, and the instance would stay listed for the length of its
    // lease. Nobody waits for this one: the registry may be what keeps us waiting.
    registration.deregister().catch(() => {});
    if (signal?.aborted) throw signal.reason;
    const { app, instanceId } = description;
    throw new MeshError("ERR_MESH_REGISTRATION", `eureka: could not register ${app}/${instanceId}: ${describeError(cause)}`, {
      service: app.toLowerCase(),
      cause,
    });
  } finally {
    clock.clearTimer(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

async function announce(registration: EurekaRegistration, options: RegisterOptions, signal: AbortSignal): Promise<void> {
  const { clock, random } = options;
  let failure: unknown;
  for (let attempt = 0; ; attempt++) {
    try {
      await registration.announce(signal);
      return;
    } catch (error) {
      // What the servers did says more than that the time was up.
      if (signal.aborted) throw failure ?? error;
      if (error instanceof Refusal) throw error;
      failure = error;
    }
    try {
      await sleepUnlessAborted(clock, random() * Math.min(backoffCapMs, backoffBaseMs * 2 ** attempt), signal);
    } catch {
      throw failure;
    }
  }
}
