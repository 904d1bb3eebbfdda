import type { Lease } from "../attempts/lease.ts";
import type { WireSettings } from "../core/connection-options.ts";
import type { MeshRequest } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import { isRefusal, outcomeOfError, outcomeOfResponse } from "../core/outcome.ts";
import type { Transport, Upgraded } from "../wire/transport.ts";

/** Upgrades a connection to an instance of `service`. The attempt is in flight there until the connection closes. */
export async function upgradeThrough(
  service: { readonly wire: WireSettings; lease(request: MeshRequest): Promise<Lease> },
  transport: Pick<Transport, "upgrade">,
  request: MeshRequest,
  protocol: string,
): Promise<Upgraded> {
  const lease = await service.lease(request);
  lease.sent();
  try {
    const upgraded = await transport.upgrade({ ...request, upstream: lease.upstream }, protocol, service.wire);
    lease.head(101, []);
    upgraded.socket.once("close", () => lease.settle("success"));
    return upgraded;
  } catch (error) {
    const status = isMeshError(error) ? error.attempts.at(-1)?.status : undefined;
    const outcome = status === undefined ? outcomeOfError(error) : outcomeOfResponse({ status });
    if (status !== undefined) lease.head(status, []);
    lease.settle(outcome, isRefusal(error));
    throw error;
  }
}
