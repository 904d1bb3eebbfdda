import { noTls, pickSecure } from "../../attempts/pick-secure.ts";
import type { Balancer } from "../../balancer/balancer.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { MeshError } from "../../core/errors.ts";
import { headersWith } from "../../core/http/request-headers.ts";
import { SendProgress } from "../../core/send-progress.ts";
import type { Upstream } from "../../core/upstream.ts";
import { type Authorize, checkAuthorized } from "../../policies/authorize.ts";
import type { KeptToken } from "../../policies/token/kept-token.ts";
import type { SentCopy } from "./copy.ts";

/** The parts of a service that its copies meet. */
export interface CopyWayParts {
  readonly authorize: Authorize | undefined;
  /** Told that the endpoints of the service are used; `undefined` where they are watched all the time. */
  readonly uses: { used(): void } | undefined;
  readonly balancer: Balancer;
  readonly wait: {
    readonly isOver: boolean;
    join(request: MeshRequest): Promise<void>;
    noEndpoints(request: MeshRequest): Promise<MeshError>;
  };
  /** The room of the instances: a copy takes none, and goes to no full one. */
  readonly room: { isFull(upstream: Upstream): boolean } | undefined;
  /** The token of the service, for copies that carry credentials. */
  readonly token: KeptToken | undefined;
  /** Adds the headers of the mesh, and sends the request to its upstream. */
  readonly dispatch: Dispatch;
}

/**
 * Sends copies of calls to one service, past its layers and its books: a copy is sent once, to an instance that its picker chooses; nothing is learnt from it,
 * no breaker, limit or budget counts it, and no instance is probed with it. It keeps the service neither from being dropped nor from being closed.
 */
export class CopyWay {
  readonly #parts: CopyWayParts;

  constructor(parts: CopyWayParts) {
    this.#parts = parts;
  }

  /** Asks `authorize` of the service whether a request may be sent. Rejects where it may not. */
  async checkAuthorized(request: MeshRequest): Promise<void> {
    if (this.#parts.authorize !== undefined) await checkAuthorized(this.#parts.authorize, request);
  }

  async send({ request, credentials }: SentCopy): Promise<MeshResponse> {
    const { balancer, wait, room, token, uses, dispatch } = this.#parts;
    uses?.used();
    await this.checkAuthorized(request);
    if (!wait.isOver) await wait.join(request);
    const authorized = token === undefined || !credentials ? request : await withToken(request, token);
    if (request.cancellation.cancelled) throw request.cancellation.reason;
    const upstream = balancer.pick(authorized, false);
    if (upstream === undefined) throw await wait.noEndpoints(request);
    const isUnfit = authorized.requiresTls && !upstream.endpoint.secure;
    const picked = isUnfit ? pickSecure(balancer, authorized, false) : upstream;
    if (picked === undefined) throw noTls(request);
    if (room?.isFull(picked)) throw full(request);
    return dispatch({ ...authorized, upstream: picked, progress: request.body === undefined ? undefined : new SendProgress() });
  }
}

/** As the layer of the token does it: what has a header of its own keeps it. */
async function withToken(request: MeshRequest, token: KeptToken): Promise<MeshRequest> {
  if (request.headers["authorization"] !== undefined) return request;
  const authorization = await token.header(request.cancellation);
  return {
    ...request,
    requiresTls: request.requiresTls || !token.allowPlain,
    headers: headersWith(request.headers, { authorization }),
  };
}

function full({ service }: MeshRequest): MeshError {
  const message = `the instance of "${service}" that was picked for a copy has no room (concurrency.maxInFlightPerInstance)`;
  return new MeshError("ERR_MESH_OVERLOADED", message, { service, maybeExecuted: false, stack: false });
}
