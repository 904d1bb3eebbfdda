import type { Interceptor, MeshRequest } from "../core/dispatch.ts";
import { describeError, MeshError } from "../core/errors.ts";
import { type LayerParts, layer } from "../core/layer.ts";
import { checkFunction } from "../core/settings/checks.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { custom } from "../core/settings/rules.ts";

/** A call as it is about to be sent, after the interceptors of the application. */
export type OutgoingRequest = Pick<MeshRequest, "service" | "method" | "path" | "route" | "headers">;

/** Decides whether a call may be sent. */
export type Authorize = (request: OutgoingRequest) => boolean | PromiseLike<boolean>;

/** The option of {@link authorizeLayer}. */
export interface AuthorizeOption {
  /**
   * Decides on each call before anything is connected, after the interceptors: anything but `true`, a throw included, refuses it with `ERR_MESH_FORBIDDEN`.
   * Of the agent only method and path are known, and no headers. @default every call is sent
   */
  readonly authorize?: Authorize;
}

const authorizeOption = optionTable<AuthorizeOption>()({
  authorize: custom<Authorize | undefined>({
    type: "(request) => boolean | Promise<boolean>",
    atOnce: true,
    default: undefined,
    defaultText: "every call is sent",
    check: checkFunction,
  }),
});

/** The function of the options that decides; `undefined` where they have none. */
export function authorizeOf(options: AuthorizeOption): Authorize | undefined {
  return authorizeOption.settle(options).authorize;
}

/** Asks whether a request may be sent. Rejects with `ERR_MESH_FORBIDDEN`, or with the reason of a call that was given up meanwhile. */
export async function checkAuthorized(authorize: Authorize, request: MeshRequest): Promise<void> {
  const { service, method, path, route, headers, cancellation } = request;
  let answer: unknown;
  try {
    answer = await authorize({ service, method, path, route, headers });
  } catch (error) {
    throw forbidden(service, `authorize threw: ${describeError(error)}`, error);
  }
  if (cancellation.cancelled) throw cancellation.reason;
  if (answer !== true) throw forbidden(service, answer === false ? "authorize refused it" : "authorize returned neither true nor false");
}

function forbidden(service: string, why: string, cause?: unknown): MeshError {
  return new MeshError("ERR_MESH_FORBIDDEN", `the call to "${service}" was not sent: ${why}`, { service, maybeExecuted: false, cause });
}

/** Below the interceptors, which may change a request, and above all else: a call that is refused counts for no breaker and connects nothing. */
export const authorizeLayer = layer({
  name: "authorize",
  options: authorizeOption,
  build: ({ authorize }, _: LayerParts): Interceptor | undefined =>
    authorize === undefined
      ? undefined
      : (next) => async (request) => {
          await checkAuthorized(authorize, request);
          return await next(request);
        },
});
