import { STATUS_CODES } from "node:http";
import { isMeshError, type MeshError } from "../core/errors.ts";
import { BodyRefused } from "./request-body.ts";

/** The answer to a request that could not be proxied: nothing in it names a service, an instance or an address. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A sentence for the client; `undefined` where the status says enough. */
  readonly detail?: string | undefined;
}

/** In seconds: enough for the next answer of a registry, or a probe of a circuit. */
const again = { "retry-after": "1" } as const;

/** Another gateway may have room. */
const unavailable: Problem = { status: 503, headers: again };
const badGateway: Problem = { status: 502, headers: {} };

/** The answer for an error of the mesh, or of the gateway. */
export function problemOf(error: unknown): Problem {
  const refused = refusedBody(error);
  if (refused !== undefined) return { status: refused.status, headers: { connection: "close" }, detail: refused.message };
  if (!isMeshError(error)) return { status: 500, headers: {} };
  switch (error.code) {
    case "ERR_MESH_INVALID_TARGET":
      return error.service === "" ? { status: 404, headers: {} } : badGateway;
    case "ERR_MESH_TIMEOUT":
      return { status: 504, headers: {} };
    case "ERR_MESH_FORBIDDEN":
      return { status: 403, headers: {} };
    case "ERR_MESH_RETRY_EXHAUSTED":
      return isMeshError(error.cause) && error.cause.code !== "ERR_MESH_RETRY_EXHAUSTED" ? problemOf(error.cause) : badGateway;
    case "ERR_MESH_NO_ENDPOINTS":
    case "ERR_MESH_CIRCUIT_OPEN":
    case "ERR_MESH_OVERLOADED":
    case "ERR_MESH_LOCAL_RESOURCE":
    case "ERR_MESH_TOKEN":
    case "ERR_MESH_IDENTITY":
    case "ERR_MESH_DISCOVERY":
    case "ERR_MESH_CLOSED":
      return unavailable;
    default:
      return badGateway;
  }
}

/** Whether an instance may have executed the request. */
export function maybeExecuted(error: unknown): boolean {
  return !isMeshError(error) || (error as MeshError).maybeExecuted;
}

/** The text of a problem, as the client takes it: `application/problem+json` (RFC 9457) where it takes JSON, else plain text. */
export function problemText(
  { status, detail }: Problem,
  accept: string | undefined,
  requestId: string | undefined,
): { readonly type: string; readonly text: string } {
  const title = STATUS_CODES[status] ?? "Error";
  if (accept !== undefined && /\bapplication\/(?:problem\+)?json\b/i.test(accept)) {
    const problem = { type: "about:blank", title, status, detail, requestId };
    return { type: "application/problem+json", text: `${JSON.stringify(problem)}\n` };
  }
  return { type: "text/plain; charset=utf-8", text: `${detail === undefined ? title : `${title}: ${detail}`}\n` };
}

/** The refusal of a body, wherever the layers of the mesh have put it. */
function refusedBody(error: unknown): BodyRefused | undefined {
  let at = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    if (at instanceof BodyRefused) return at;
    at = at.cause;
  }
  return undefined;
}
