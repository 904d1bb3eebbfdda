import type { Interceptor, MeshRequest } from "../../core/dispatch.ts";
import { headersWith } from "../../core/http/request-headers.ts";
import { type LayerParts, layer } from "../../core/layer.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { group, orFalse } from "../../core/settings/rules.ts";
import { KeptToken } from "./kept-token.ts";
import { type ServiceTokenOptions, serviceTokenOptions } from "./token-options.ts";

/**
 * Adds the token of the service to its calls, as `authorization: Bearer`. A call that has this header keeps its own. The token goes to no other service: a
 * redirect or route to one asks for that one's.
 */
export function serviceToken(kept: KeptToken): Interceptor {
  const withToken = (request: MeshRequest, authorization: string): MeshRequest => ({
    ...request,
    requiresTls: request.requiresTls || !kept.allowPlain,
    headers: headersWith(request.headers, { authorization }),
  });
  return (next) => (request) => {
    if (request.headers["authorization"] !== undefined) return next(request);
    const header = kept.header(request.cancellation);
    if (typeof header === "string") return next(withToken(request, header));
    return header.then((late) => next(withToken(request, late)));
  };
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
  build({ token }, { service, clock, keptToken }: LayerParts & { readonly keptToken?: KeptToken | undefined }) {
    const kept = keptToken ?? KeptToken.of(token, service, clock);
    if (kept === undefined) return undefined;
    // The option stays the same while the mesh runs, and so does the token.
    return { interceptor: serviceToken(kept), dispose: () => kept.close(), adjust: () => () => {} };
  },
});
