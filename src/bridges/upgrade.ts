import type { Lease } from "../attempts/lease.ts";
import { localResponse } from "../core/buffered-body.ts";
import type { WireSettings } from "../core/connection-options.ts";
import type { Interceptor, MeshRequest } from "../core/dispatch.ts";
import { isMeshError } from "../core/errors.ts";
import { callerHeader, instanceHeader, onceMark } from "../core/http/own-headers.ts";
import { headersWith } from "../core/http/request-headers.ts";
import { outcomeOfResponse } from "../core/outcome.ts";
import type { Transport } from "../wire/transport.ts";
import type { Upgraded } from "../wire/upgrade-handler.ts";

/** The parts that an upgrade works with. */
export interface UpgradeParts {
  readonly service: { readonly wire: WireSettings; readonly caller: string | undefined; lease(request: MeshRequest): Promise<Lease> };
  readonly transport: Pick<Transport, "upgrade">;
  /** The deadline of the call, around the wait for an instance and its answer. */
  readonly deadline: Interceptor;
}

/** Upgrades a connection to an instance of a service. The attempt is in flight there until the connection closes. */
export async function upgradeThrough(parts: UpgradeParts, request: MeshRequest, protocol: string): Promise<Upgraded> {
  let upgraded: Upgraded | undefined;
  // A switch of protocols ends the time of the call, as a whole response does.
  const bounded = parts.deadline(async () => {
    upgraded = await upgrade(parts, request, protocol);
    return localResponse(101);
  });
  await bounded(request);
  return upgraded as unknown as Upgraded;
}

async function upgrade({ service, transport }: UpgradeParts, request: MeshRequest, protocol: string): Promise<Upgraded> {
  const lease = await service.lease(request);
  lease.sent();
  try {
    const { wire, caller } = service;
    const { authorization } = lease;
    const headers = headersWith(request.headers, {
      ...(caller === undefined ? undefined : { [callerHeader]: `${caller}${onceMark}` }),
      ...(authorization === undefined ? undefined : { authorization }),
    });
    const upgraded = await transport.upgrade({ ...request, headers, upstream: lease.upstream }, protocol, wire);
    const { said } = upgraded;
    lease.head(101, said === undefined ? upgraded.headers : [...upgraded.headers, instanceHeader, said]);
    upgraded.socket.once("close", () => lease.settle("success"));
    return upgraded;
  } catch (error) {
    const status = isMeshError(error) ? error.attempts.at(-1)?.status : undefined;
    if (status === undefined) lease.failed(error);
    else {
      lease.head(status, []);
      lease.settle(outcomeOfResponse({ status }));
    }
    throw error;
  }
}
