import { checkObject, checkText, refuseOption } from "../../core/settings/checks.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { choice, custom, flag, integer, ratio, timerMs } from "../../core/settings/rules.ts";

/** When the instances of a service are checked, and how many results in a row decide. */
export interface HealthCheckTiming {
  /** Time between two checks of one instance, in milliseconds. @default 10000 */
  readonly intervalMs?: number;
  /** Limit of one check, from its connection to the last byte of the answer, in milliseconds. @default 1000 */
  readonly timeoutMs?: number;
  /** An instance goes out of rotation after this many failures in a row; its first check decides alone. @default 3 */
  readonly unhealthyThreshold?: number;
  /** An instance comes back after this many passes in a row. @default 2 */
  readonly healthyThreshold?: number;
  /** Each interval is varied by up to this share of it, 0–1, so that clients do not check at the same moment. @default 0.1 */
  readonly jitter?: number;
}

/** `GET path` on the instance. */
export interface HttpHealthCheck extends HealthCheckTiming {
  /** The kind of check: `http` is `GET path`, `tcp` a connection alone, `grpc` gRPC's health service. */
  readonly type: "http";
  /** Path and query of the request, with `http`. */
  readonly path: string;
  /** Statuses that pass, with `http`: single ones and ranges `[from, to]`, both included. @default [[200, 299]] */
  readonly expectedStatuses?: readonly (number | readonly [from: number, to: number])[];
}

/** A connection, with a TLS session where the instance speaks TLS. */
export interface TcpHealthCheck extends HealthCheckTiming {
  readonly type: "tcp";
}

/** gRPC's standard health service, `grpc.health.v1.Health/Check`, over HTTP/2. */
export interface GrpcHealthCheck extends HealthCheckTiming {
  readonly type: "grpc";
  /** The service to ask for, with `grpc`; an empty name asks for the server as a whole. @default "" */
  readonly service?: string;
  /**
   * With `grpc`: a stream of `Watch` to each instance, by which a change counts at once, without thresholds; an instance without `Watch` is asked by `Check`.
   * @default false
   */
  readonly watch?: boolean;
}

/** Active checks of every instance of a service; `healthCheck` in the options. */
export type HealthCheckOptions = HttpHealthCheck | TcpHealthCheck | GrpcHealthCheck;

const timing = {
  intervalMs: timerMs({ default: 10_000, min: 1 }),
  timeoutMs: timerMs({ default: 1_000, min: 1 }),
  unhealthyThreshold: integer({ default: 3, min: 1 }),
  healthyThreshold: integer({ default: 2, min: 1 }),
  jitter: ratio(0.1),
};

/** The rules of {@link HealthCheckTiming}. */
export const healthCheckTiming = optionTable<HealthCheckTiming>()(timing);

/** {@link HealthCheckTiming} with the defaults filled in. */
export type HealthCheckTimingSettings = Settled<typeof timing>;

/** Path and query as they are sent: visible ASCII, no fragment. */
const pathPattern = /^\/[!"$-~]*$/;

const path: OptionRule<string> = {
  type: "string",
  default: undefined as never,
  defaultText: "must be given",
  check(option, value) {
    if (typeof value !== "string" || !pathPattern.test(value))
      refuseOption(option, value, "a path that begins with / and has no fragment, space or character beyond ASCII");
  },
};

/** The rules of {@link HttpHealthCheck}. */
export const httpHealthCheck = optionTable<HttpHealthCheck>()({
  type: choice(["http"], "http"),
  path,
  expectedStatuses: custom<NonNullable<HttpHealthCheck["expectedStatuses"]>>({
    type: "(status or [from, to])[]",
    default: [[200, 299]],
    defaultText: "`[[200, 299]]`",
    check(option, value) {
      if (!Array.isArray(value) || value.length === 0 || !value.every((each) => isStatus(each) || isRange(each)))
        refuseOption(option, value, "an array of statuses and [from, to] ranges of them, 100 to 599");
    },
  }),
  ...timing,
});

/** The rules of {@link TcpHealthCheck}. */
export const tcpHealthCheck = optionTable<TcpHealthCheck>()({ type: choice(["tcp"], "tcp"), ...timing });

/** The rules of {@link GrpcHealthCheck}. */
export const grpcHealthCheck = optionTable<GrpcHealthCheck>()({
  type: choice(["grpc"], "grpc"),
  service: custom<string>({
    type: "string",
    default: "",
    check(option, value) {
      if (value !== "") checkText(option, value);
    },
  }),
  watch: flag(false),
  ...timing,
});

const tables = new Map<unknown, { check(where: string, given: unknown): void }>([
  ["http", httpHealthCheck],
  ["tcp", tcpHealthCheck],
  ["grpc", grpcHealthCheck],
]);

/** The options of all kinds of checks, for documentation. */
const anyHealthCheck = {
  rules: {
    ...httpHealthCheck.rules,
    ...grpcHealthCheck.rules,
    type: { ...choice(["http", "tcp", "grpc"]), defaultText: "must be given" },
  },
};

/**
 * Checks the `healthCheck` of a service.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkHealthCheck(option: string, check: HealthCheckOptions | false | undefined): void {
  if (check === undefined || check === false) return;
  checkObject(option, check);
  const table = tables.get(check.type);
  if (table === undefined) refuseOption(`${option}.type`, check.type, 'one of "http", "tcp", "grpc"');
  table.check(option, check);
}

function isStatus(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 100 && (value as number) <= 599;
}

function isRange(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [from, to]: readonly unknown[] = value;
  return isStatus(from) && isStatus(to) && from <= to;
}

/** The option of active health checks, for each service. */
export interface HealthCheckOption {
  /** Active checks of every instance that discovery knows: one that fails them is out of rotation until it passes again; `false` = none. @default false */
  readonly healthCheck?: HealthCheckOptions | false;
}

/** The rule of {@link HealthCheckOption}. */
export const healthCheckOption = optionTable<HealthCheckOption>()({
  healthCheck: custom<HealthCheckOptions | false>({
    type: "object | false",
    default: false,
    table: anyHealthCheck,
    check: (option, value) => checkHealthCheck(option, value as HealthCheckOptions | false),
  }),
});
