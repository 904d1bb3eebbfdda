import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Clock, Random } from "../../core/clock.ts";
import type { CallPriority } from "../../core/dispatch.ts";
import { checkFunction } from "../../core/settings/checks.ts";
import { clockRule } from "../../core/settings/clock-rule.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { custom, flag, group, orFalse } from "../../core/settings/rules.ts";
import { type AuthorizationOptions, authorizationOptions, checkOrigin } from "./authorization/authorization-options.ts";
import { type HealthOptions, healthOptions } from "./health-options.ts";
import { type InboundConcurrencyOptions, inboundConcurrencyOptions } from "./limits/concurrency-options.ts";
import { type RateLimitOptions, rateLimitOptions } from "./limits/rate-limit-options.ts";
import { type SheddingOptions, sheddingOptions } from "./limits/shedding-options.ts";
import { type LoadOptions, loadOptions } from "./load/load-options.ts";
import { type AccessLogOptions, accessLogOptions } from "./log/access-log-options.ts";
import { type TrustOptions, trustOptions } from "./trust-options.ts";

/** Options of `inbound`, and of `inbound` in those of `serve`. */
export interface InboundOptions {
  /** The paths for liveness and readiness; `false`: none. */
  readonly health?: HealthOptions | false;
  /** Continues the caller's deadline and attempt in calls made by the handler, and refuses a request whose caller waits no more. @default true */
  readonly deadline?: boolean;
  /** Whose forwarding and identity headers are believed; those of others are taken out. `false`: those of every peer. */
  readonly trust?: TrustOptions | false;
  /** The load report; `false`: none. */
  readonly load?: LoadOptions | false;
  /** The rules by which requests are let pass; `false` = all pass. @default false */
  readonly authorization?: AuthorizationOptions | false;
  /** Limit of the requests that are handled at a time; `false` = no limit. @default false */
  readonly concurrency?: InboundConcurrencyOptions | false;
  /** Limit of the requests per second of a caller; `false` = no limit. @default false */
  readonly rateLimit?: RateLimitOptions | false;
  /** Refuses a share of the requests while the process is overloaded; `false` = never. @default false */
  readonly shedding?: SheddingOptions | false;
  /** A line for each request; `false` = none. @default false */
  readonly accessLog?: AccessLogOptions | false;
  /**
   * How soon a request gets a place, and how late it is shed: `"high"`, `"normal"` or `"low"`. What throws, or returns something else, is `"normal"`.
   * @default "normal" for all
   */
  readonly priority?: (request: IncomingMessage | Http2ServerRequest) => CallPriority;
  /**
   * The pattern of the request's path, for metrics, spans and the log, asked when the request has ended: of Express `(request) => request.route?.path`. At most
   * 100 of them get series of their own.
   * @default none
   */
  readonly route?: (request: IncomingMessage | Http2ServerRequest) => string | undefined;
  /** The source of time, for tests. @default the process's own clock */
  readonly clock?: Clock;
  /** The source of random numbers, which choose what is logged. @default Math.random */
  readonly random?: Random;
}

/** The rules of {@link InboundOptions}. */
export const inboundOptions = optionTable<InboundOptions>()({
  health: orFalse(group(healthOptions)),
  deadline: flag(true),
  trust: orFalse(group(trustOptions)),
  load: orFalse(group(loadOptions)),
  authorization: orFalse(group(authorizationOptions, checkOrigin), false),
  concurrency: orFalse(group(inboundConcurrencyOptions), false),
  rateLimit: orFalse(group(rateLimitOptions), false),
  shedding: orFalse(group(sheddingOptions), false),
  accessLog: orFalse(
    group(accessLogOptions, (option, { file, write }) => {
      if (file !== undefined && write !== undefined) throw new TypeError(`${option}: either file or write, not both`);
    }),
    false,
  ),
  priority: custom<InboundOptions["priority"]>({
    type: "(request) => CallPriority",
    default: undefined,
    defaultText: '"normal" for all',
    check: checkFunction,
  }),
  route: custom<InboundOptions["route"]>({
    type: "(request) => string | undefined",
    default: undefined,
    defaultText: "none",
    check: checkFunction,
  }),
  clock: clockRule,
  random: custom<Random>({ type: "() => number", default: Math.random, defaultText: "Math.random", check: checkFunction }),
});

/** {@link InboundOptions} with the defaults filled in. */
export type InboundSettings = Settled<typeof inboundOptions.rules>;
