import type { Cancellation } from "../../core/cancellation.ts";
import type { Interceptor, MeshRequest } from "../../core/dispatch.ts";
import { MeshError } from "../../core/errors.ts";
import { headersWith } from "../../core/http/request-headers.ts";
import { type LayerParts, layer } from "../../core/layer.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { group, orFalse } from "../../core/settings/rules.ts";
import { TokenKeeper } from "./token-keeper.ts";
import { type ServiceTokenOptions, serviceTokenOptions } from "./token-options.ts";

/**
 * Adds the token of the service to its calls, as `authorization: Bearer`. A call that has this header keeps its own. The token goes to no other service: a
 * redirect or route to one asks for that one's.
 */
export function serviceToken(
  keeper: TokenKeeper,
  { service, allowPlain }: { readonly service: string; readonly allowPlain: boolean },
): Interceptor {
  const withToken = (request: MeshRequest, token: string): MeshRequest => ({
    ...request,
    requiresTls: request.requiresTls || !allowPlain,
    headers: headersWith(request.headers, { authorization: `Bearer ${token}` }),
  });
  return (next) => (request) => {
    if (request.headers["authorization"] !== undefined) return next(request);
    const token = keeper.token();
    if (typeof token === "string") return next(withToken(request, token));
    return unlessCancelled(token, request.cancellation, service).then((late) => next(withToken(request, late)));
  };
}

function unlessCancelled(token: Promise<string>, cancellation: Cancellation, service: string): Promise<string> {
  return new Promise((resolve, reject) => {
    if (cancellation.cancelled) {
      reject(cancellation.reason);
      token.catch(() => {});
      return;
    }
    cancellation.onCancel(reject);
    const done = (): void => cancellation.removeListener(reject);
    token.then(
      (late) => {
        done();
        resolve(late);
      },
      () => {
        done();
        // Without the cause: what a provider says may have the secret that it asks with.
        const message = `there is no token for "${service}": its provider failed, or returned none that holds (token.provider)`;
        reject(new MeshError("ERR_MESH_TOKEN", message, { service, maybeExecuted: false }));
      },
    );
  });
}

/** The option of {@link tokenLayer}. */
export interface TokenOption {
  /** The token that calls to the service carry; `false` = none. Of a service only, since a token is for one receiver. @default false */
  readonly token?: ServiceTokenOptions | false;
}

/** Above the breaker and the retries: for want of a token nothing is sent, and no instance is to blame. */
export const tokenLayer = layer({
  name: "token",
  options: optionTable<TokenOption>()({
    token: orFalse(
      group(serviceTokenOptions, (option, { provider }) => {
        if (provider === undefined) throw new TypeError(`${option}.provider is missing`);
      }),
      false,
    ),
  }),
  build({ token }, { service, clock }: LayerParts) {
    if (token === false) return undefined;
    const { audience = service, provider, allowPlain, timeoutMs } = serviceTokenOptions.settle(token);
    if (provider === undefined) return undefined;
    const keeper = new TokenKeeper({ audience, provider, timeoutMs, clock });
    return { interceptor: serviceToken(keeper, { service, allowPlain }), dispose: () => keeper.close() };
  },
});
