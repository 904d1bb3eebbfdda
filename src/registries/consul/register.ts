import { Cancellation } from "../../core/cancellation.ts";
import { type Clock, sleep } from "../../core/clock.ts";
import type { Instance, Registration } from "../../registration/registrar.ts";
import { AgentInstance } from "./agent-instance.ts";
import type { ConsulClient } from "./client.ts";
import { isRefusal } from "./consul-error.ts";
import { definitionOf } from "./definition.ts";
import type { ConsulSettings } from "./options.ts";
import { ConsulRegistration, registrationError } from "./registration.ts";

const retryBaseMs = 100;
const retryCapMs = 2_000;

/**
 * Registers with the agent, trying again with full jitter while it cannot be reached, for `registerTimeoutMs`. Rejects with
 * `ERR_MESH_REGISTRATION` then, or at once when the agent says no, or with the signal's reason.
 */
export async function registerInstance(
  instance: Instance,
  client: ConsulClient,
  settings: ConsulSettings,
  signal: AbortSignal | undefined,
): Promise<Registration> {
  const { clock, random, registerTimeoutMs, requestTimeoutMs, deregisterAfterMs } = settings;
  const definition = definitionOf(instance, deregisterAfterMs);
  const agent = new AgentInstance(client, definition);
  const deadline = clock.now() + registerTimeoutMs;
  signal?.throwIfAborted();
  for (let attempt = 0; ; attempt++) {
    try {
      await agent.announce("up", { timeoutMs: requestTimeoutMs, keepsProcess: true, signal });
      return new ConsulRegistration(agent, definition, settings);
    } catch (error) {
      const leftMs = deadline - clock.now();
      if (isRefusal(error)) throw registrationError(settings, definition, "registering", error);
      try {
        signal?.throwIfAborted();
        if (leftMs <= 0) throw registrationError(settings, definition, "registering", error);
        await pause(clock, Math.min(leftMs, random() * Math.min(retryCapMs, retryBaseMs * 2 ** Math.min(attempt, 20))), signal);
      } catch (reason) {
        // An attempt whose answer did not come may have been carried out, and nobody would renew that.
        agent.withdraw({ timeoutMs: requestTimeoutMs, keepsProcess: false }).catch(() => {});
        throw reason;
      }
    }
  }
}

async function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  const cancellation = new Cancellation();
  const onAbort = (): void => cancellation.cancel(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await sleep(clock, delayMs, cancellation);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
