import { Cancellation } from "../../core/cancellation.ts";
import { type Clock, setTimerOf, type Timer } from "../../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isMeshError, MeshError } from "../../core/errors.ts";
import type { RequestBody } from "../../core/http/body.ts";
import { copyOfHeaders } from "../../core/http/request-headers.ts";
import { carriesCredentials } from "../../core/http/secret-headers.ts";
import { meshRequest } from "../../core/mesh-request.ts";
import type { MirrorOmission, MirrorOutcome } from "../../core/observing/routes/route-events.ts";
import type { Routed } from "../../core/routed.ts";
import { countedStatus } from "../../core/rpc/rpc-outcome.ts";
import type { TimerHandler } from "../../core/shared-timers.ts";
import type { Receiver } from "../../core/stages/stage.ts";
import { copyHeader } from "../../policies/incoming.ts";
import type { BodyTaker } from "./copied-body.ts";

/** The copy of a call, as it is to be sent. */
export interface SentCopy {
  readonly request: MeshRequest;
  /** The call. Its service must allow it: of a call that is refused, no copy is sent. */
  readonly original: MeshRequest;
  /** Whether the copy has the credentials of the call, and of the service. */
  readonly credentials: boolean;
}

/** Sends the copy of a call to one of its instances, past the layers of its service. */
export type SendCopy = (copy: SentCopy, receiver: Receiver) => void;

/** The copies of one mesh. */
export interface SentCopies {
  readonly sendCopy: SendCopy;
  /** Those that are under way, which end with the mesh. */
  readonly underWay: Set<{ cancel(): void }>;
}

/** The parts that a {@link Copy} works with. */
export interface CopyParts extends SentCopies {
  readonly clock: Clock;
}

/** The mirror that a copy belongs to. */
export interface CopyingMirror {
  readonly parts: CopyParts;
  /** The service of the copies; `undefined` for that of the call. */
  readonly service: string | undefined;
  readonly routed: Routed;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
  readonly credentials: boolean;
  /** Told once of each copy: of how it has ended, or why it was left out after all. */
  ended(request: MeshRequest, outcome: MirrorOutcome | undefined, omission: MirrorOmission | undefined): void;
}

/** One copy of a call. It holds its place until the body of its response has closed, and ends by itself at its time limit. */
export class Copy implements BodyTaker, Receiver, TimerHandler {
  readonly #mirror: CopyingMirror;
  readonly #request: MeshRequest;
  readonly #cancellation = new Cancellation();
  #timer: Timer = undefined;
  #status = 0;
  #hasEnded = false;

  constructor(mirror: CopyingMirror, request: MeshRequest) {
    this.#mirror = mirror;
    this.#request = request;
  }

  bodyRead(bytes: Uint8Array | undefined, omission: "body-size" | "body-unread"): void {
    if (bytes === undefined) this.#end(undefined, omission);
    else if (bytes.byteLength > this.#mirror.maxBodyBytes) this.#end(undefined, "body-size");
    else this.send(bytes);
  }

  /** Sends it; never throws. */
  send(body: RequestBody): void {
    const { timeoutMs, credentials, parts } = this.#mirror;
    const { clock, underWay, sendCopy } = parts;
    underWay.add(this);
    this.#timer = setTimerOf(this, clock, timeoutMs);
    try {
      const original = this.#request;
      sendCopy({ request: this.#copyOf(original, body, clock.now() + timeoutMs), original, credentials }, this);
    } catch (error) {
      this.failed(error);
    }
  }

  /** The mesh has been closed. */
  cancel(): void {
    this.#cancellation.cancel(new Error("the mesh has been closed"));
    this.#end("cancelled");
  }

  handleTimer(): void {
    const { service, method } = this.#request;
    const message = `"${service}" did not answer the copy of ${method} within ${this.#mirror.timeoutMs} ms (mirror.timeoutMs)`;
    this.#cancellation.cancel(new MeshError("ERR_MESH_TIMEOUT", message, { service, stack: false }));
    this.#end("timeout");
  }

  answered(response: MeshResponse): void {
    if (this.#hasEnded) {
      response.body.cancel();
      return;
    }
    this.#status = countedStatus(response);
    response.body.onClose((error) => {
      this.#end(error === undefined && this.#status < 500 ? "answered" : "failed");
    });
    // Read and dropped, so that the connection can be used again; of a long one the connection is closed.
    response.body.discard();
  }

  failed(error: unknown): void {
    const omission = omissionOf(error);
    if (omission !== undefined) this.#end(undefined, omission);
    else this.#end(isMeshError(error) && error.code === "ERR_MESH_TIMEOUT" ? "timeout" : "failed");
  }

  #copyOf(request: MeshRequest, body: RequestBody, deadline: number): MeshRequest {
    const { service, method, path, requiresTls, observation, route, options } = request;
    const mirror = this.#mirror;
    const copy = meshRequest({
      service: mirror.service ?? service,
      method,
      path,
      headers: this.#headersOf(request),
      body,
      options: options.hashKey === undefined ? undefined : { hashKey: options.hashKey },
      cancellation: this.#cancellation,
      requiresTls,
    });
    return { ...copy, routed: mirror.routed, route, deadline, observation };
  }

  #headersOf({ headers }: MeshRequest): Record<string, string> {
    const { credentials } = this.#mirror;
    const copied = copyOfHeaders({});
    for (const name in headers) if (credentials || !carriesCredentials(name)) copied[name] = headers[name] as string;
    copied[copyHeader] = "1";
    return copied;
  }

  #end(outcome: MirrorOutcome | undefined, omission?: MirrorOmission): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { clock, underWay } = this.#mirror.parts;
    clock.clearTimer(this.#timer);
    underWay.delete(this);
    this.#mirror.ended(this.#request, outcome, omission);
  }
}

/** The errors of a copy that was not sent. */
function omissionOf(error: unknown): MirrorOmission | undefined {
  if (!isMeshError(error)) return undefined;
  if (error.code === "ERR_MESH_FORBIDDEN" || error.code === "ERR_MESH_TOKEN") return "forbidden";
  const isUnavailable = error.code === "ERR_MESH_NO_ENDPOINTS" || error.code === "ERR_MESH_OVERLOADED" || error.code === "ERR_MESH_CLOSED";
  return isUnavailable || error.code === "ERR_MESH_INVALID_TARGET" ? "unavailable" : undefined;
}
