import type { Clock } from "../core/clock.ts";
import { checkFunction, checkObject, refuseOption } from "../core/settings/checks.ts";
import { clockRule } from "../core/settings/clock-rule.ts";
import { optionTable, type Settled } from "../core/settings/option-table.ts";
import { choice, custom, flag, integer, orFalse, text, timerMs } from "../core/settings/rules.ts";
import { Networks } from "../server/inbound/networks.ts";
import { type GatewayRule, gatewayRule } from "./rules/rule-options.ts";

/** The headers by which an instance learns of the client. */
export type ForwardedForm = "x-forwarded" | "forwarded" | "both" | "none";

/** A failed request, for the log of a program. */
export interface GatewayFailure {
  /** The error of the mesh, or of the gateway itself. */
  readonly error: unknown;
  /** The status of the answer; 0 where the client had gone, or the response had begun. */
  readonly status: number;
  readonly requestId: string | undefined;
}

/** Options of `gateway`. */
export interface GatewayOptions {
  /** The service of requests that no route leads to another one. @default none: they get 404 */
  readonly service?: string;
  /** The proxies in front, by address or network: what they say of the client is believed. A Unix socket counts as this machine. @default ["127.0.0.0/8","::1"] */
  readonly trustedPeers?: readonly string[];
  /**
   * The headers that tell instances of the client: `x-forwarded` (`x-forwarded-for`, `-proto`, `-host`), `forwarded` (RFC 7239), both, or none.
   * @default "x-forwarded"
   */
  readonly forwarded?: ForwardedForm;
  /** The name of this gateway in `via`. A request that has it ten times already gets 508. `false`: no name. @default "inmesh" */
  readonly via?: string | false;
  /** The `host` that instances see: that of the request, or the address of the instance. @default "request" */
  readonly host?: "request" | "instance";
  /** The header with an id of each request, for instances and in each answer; that of a trusted peer stays. `false`: none. @default "x-request-id" */
  readonly requestId?: string | false;
  /** The largest body of a request, in bytes; a larger one gets 413. `false` = no limit. @default 1048576 */
  readonly maxBodyBytes?: number | false;
  /** A body whose length is known and not above this is read before its request is sent, so that it can be sent to another instance, too; in bytes. @default 65536 */
  readonly bufferBytes?: number;
  /** How long the next part of a request's body may take, in milliseconds; then the request gets 408. @default 60000 */
  readonly bodyTimeoutMs?: number;
  /** How long a client may take nothing of a response that waits for it, in milliseconds; then its connection ends. @default 60000 */
  readonly sendTimeoutMs?: number;
  /**
   * Demands on requests, by the name of the rule of the routes that they come to; `"*"` for all requests, where their rule says nothing else. @default {}
   */
  readonly rules?: Readonly<Record<string, GatewayRule>>;
  /** Adds `x-maybe-executed: true` or `false` to answers for failed requests. @default false */
  readonly tellExecuted?: boolean;
  /** Told of each request that failed. What it throws is a warning. @default none */
  readonly onFailure?: (failure: GatewayFailure) => void;
  /** The source of time, for tests. @default the process's own clock */
  readonly clock?: Clock;
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The rules of {@link GatewayOptions}. */
export const gatewayOptions = optionTable<GatewayOptions>()({
  service: text("none: they get 404"),
  trustedPeers: custom<readonly string[]>({
    type: "string[]",
    default: ["127.0.0.0/8", "::1"],
    check(option, value) {
      if (!Array.isArray(value)) refuseOption(option, value, 'an array of addresses and networks such as "10.0.0.0/8"');
      new Networks(option, value);
    },
  }),
  forwarded: choice<ForwardedForm, "x-forwarded">(["x-forwarded", "forwarded", "both", "none"], "x-forwarded"),
  via: orFalse(named("inmesh")),
  host: choice<"request" | "instance", "request">(["request", "instance"], "request"),
  requestId: orFalse(named("x-request-id")),
  maxBodyBytes: orFalse(integer({ default: 1_048_576, min: 0, unit: "bytes" })),
  bufferBytes: integer({ default: 65_536, min: 0, max: 16_777_216, unit: "bytes" }),
  bodyTimeoutMs: timerMs({ min: 1, default: 60_000 }),
  sendTimeoutMs: timerMs({ min: 1, default: 60_000 }),
  rules: custom<Readonly<Record<string, GatewayRule>>>({
    type: "object",
    default: {},
    check(option, value) {
      checkObject(option, value);
      for (const [name, rule] of Object.entries(value as object)) gatewayRule.check(`${option}.${name}`, rule);
    },
  }),
  tellExecuted: flag(false),
  onFailure: custom<GatewayOptions["onFailure"]>({
    type: "(failure) => void",
    default: undefined,
    defaultText: "none",
    check: checkFunction,
  }),
  clock: clockRule,
});

/** {@link GatewayOptions} with the defaults filled in. */
export type GatewaySettings = Settled<typeof gatewayOptions.rules>;

function named(fallback: string) {
  return custom<string>({
    type: "string",
    default: fallback,
    check(option, value) {
      if (typeof value !== "string" || !token.test(value)) refuseOption(option, value, "a token of HTTP");
    },
  });
}
