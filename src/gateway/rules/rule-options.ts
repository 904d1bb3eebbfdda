import type { TokenVerifier } from "../../authentication/token-verifier.ts";
import { refuseOption } from "../../core/settings/checks.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom, group, integer, number, orFalse } from "../../core/settings/rules.ts";
import { type CorsOptions, checkCors, corsOptions } from "./cors.ts";

/** How many requests per second a client of a gateway may send, by its certificate or else its address; of IPv6, the /64. */
export interface GatewayRateLimit {
  /** Requests per second on average, in this process. @default 100 */
  readonly perSecond?: number;
  /** Requests that may be sent at once after a pause. @default 100 */
  readonly burst?: number;
  /** Clients that are remembered, the ones that came last. @default 10000 */
  readonly maxKeys?: number;
}

/** The rules of {@link GatewayRateLimit}. */
export const gatewayRateLimit = optionTable<GatewayRateLimit>()({
  perSecond: number({ default: 100, min: 0.001, max: 1_000_000 }),
  burst: integer({ default: 100, min: 1, max: 1_000_000 }),
  maxKeys: integer({ default: 10_000, min: 2, max: 10_000_000 }),
});

/** The demands of a gateway on the requests of one route. One that is absent is that of the rule `"*"`; the defaults are those without it. */
export interface GatewayRule {
  /** The pages of other origins that may read answers. @default false */
  readonly cors?: CorsOptions | false;
  /** The requests per second of a client; a further one gets 429. @default false */
  readonly rateLimit?: GatewayRateLimit | false;
  /** Providers that verify tokens, such as `jwt` of `inmesh/jwt`: a request without the token of a required one, or with one that does not hold, gets 401. @default [] */
  readonly tokens?: readonly TokenVerifier[];
  /** In place of that of the gateway. @default the gateway's */
  readonly maxBodyBytes?: number | false;
}

/** The rules of {@link GatewayRule}. */
export const gatewayRule = optionTable<GatewayRule>()({
  cors: orFalse(group(corsOptions, checkCors), false),
  rateLimit: orFalse(group(gatewayRateLimit), false),
  tokens: custom<readonly TokenVerifier[]>({
    type: "TokenVerifier[]",
    default: [],
    check(option, value) {
      const isProvider = (each: Partial<TokenVerifier> | null) => typeof each?.verify === "function" && typeof each.isFor === "function";
      if (!(Array.isArray(value) && value.every(isProvider))) refuseOption(option, value, "an array of providers, such as jwt({ … })");
    },
  }),
  maxBodyBytes: orFalse<number | undefined>(integer({ min: 0, unit: "bytes", defaultText: "the gateway's" })),
});
