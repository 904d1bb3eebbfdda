import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { checkFunction } from "../../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../../core/settings/option-table.ts";
import { custom, integer, number } from "../../../core/settings/rules.ts";

/** The limit of requests per caller; `rateLimit` in the options of `inbound`. */
export interface RateLimitOptions {
  /** Requests per second of one caller, on average, in this process. @default 100 */
  readonly perSecond?: number;
  /** Requests that a caller may send at once after a pause. @default 100 */
  readonly burst?: number;
  /**
   * The caller that a request counts for; `undefined`: it is not limited. What throws, or returns something else, is as if there were no function. Not by a
   * header that any sender can write.
   * @default the identity in the verified client certificate, else the peer's address, of IPv6 the /64
   */
  readonly key?: (request: IncomingMessage | Http2ServerRequest) => string | undefined;
  /** Callers that are remembered, the ones that came last. @default 10000 */
  readonly maxKeys?: number;
}

/** The rules of {@link RateLimitOptions}. */
export const rateLimitOptions = optionTable<RateLimitOptions>()({
  perSecond: number({ default: 100, min: 0.001, max: 1_000_000 }),
  burst: integer({ default: 100, min: 1, max: 1_000_000 }),
  key: custom<RateLimitOptions["key"]>({
    type: "(request) => string | undefined",
    default: undefined,
    defaultText: "the identity in the verified client certificate, else the peer's address, of IPv6 the /64",
    check: checkFunction,
  }),
  maxKeys: integer({ default: 10_000, min: 2, max: 10_000_000 }),
});

/** {@link RateLimitOptions} with the defaults filled in. */
export type RateLimitSettings = Settled<typeof rateLimitOptions.rules>;
