import type { Lease } from "../attempts/lease.ts";
import { localResponse } from "../core/buffered-body.ts";
import type { WireSettings } from "../core/connection-options.ts";
import type { Dispatch, Interceptor, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { isMeshError, MeshError } from "../core/errors.ts";
import { callerHeader, instanceHeader, onceMark } from "../core/http/own-headers.ts";
import { headersWith } from "../core/http/request-headers.ts";
import { outcomeOfResponse } from "../core/outcome.ts";
import { AnsweredUpgrade } from "../core/stages/mesh-door.ts";
import type { Transport } from "../wire/transport.ts";
import type { Upgraded } from "../wire/upgrade-handler.ts";

/** A service, as far as an upgrade uses it. */
export interface UpgradeService {
  readonly wire: WireSettings;
  readonly caller: string | undefined;
  lease(request: MeshRequest): Promise<Lease>;
}

/** The parts that an upgrade works with. */
export interface UpgradeParts {
  /** The service of this name. Throws where it may not be called. */
  readonly serviceOf: (name: string) => UpgradeService | Promise<UpgradeService>;
  /** Routes the request, whose way below is `inner`; absent without routes. */
  readonly route?: ((request: MeshRequest, inner: Dispatch) => Promise<MeshResponse>) | undefined;
  readonly transport: Pick<Transport, "upgrade">;
  /** The deadline of the call, around the wait for an instance and its answer. */
  readonly deadline: Interceptor;
}

/** Upgrades a connection to an instance of a service. The attempt is in flight there until the connection closes. */
export async function upgradeThrough(parts: UpgradeParts, request: MeshRequest, protocol: string): Promise<Upgraded> {
  const { serviceOf, route } = parts;
  let upgraded: Upgraded | undefined;
  const send: Dispatch = async (routed) => {
    upgraded = await upgrade(await serviceOf(routed.service), parts.transport, routed, protocol);
    return { ...localResponse(101), headers: upgraded.headers };
  };
  // A switch of protocols ends the time of the call, as a whole response does.
  const answer = await parts.deadline(route === undefined ? send : (bounded) => route(bounded, send))(request);
  if (upgraded !== undefined) return { ...upgraded, headers: answer.headers };
  const message = `the route of the call answers it with status ${answer.status}, and does not change the protocol`;
  const cause = new AnsweredUpgrade(answer, await answer.body.text());
  throw new MeshError("ERR_MESH_ROUTE", message, { service: request.service, maybeExecuted: false, stack: false, cause });
}

async function upgrade(
  service: UpgradeService,
  transport: UpgradeParts["transport"],
  request: MeshRequest,
  protocol: string,
): Promise<Upgraded> {
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
