import { checkChoice, checkInteger, checkKeys, checkNumber, checkObject, checkText, maxTimerMs, refuseOption } from "../../core/options.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom } from "../../core/settings/rules.ts";

/** When the checks of a service are made and what they decide. */
export interface HealthCheckTiming {
  /** Between the checks of one instance, in milliseconds. @default 10000 */
  readonly intervalMs?: number;
  /** One check from its connection to the last byte of its answer, in milliseconds. @default 1000 */
  readonly timeoutMs?: number;
  /** Out of rotation after so many failures in a row; the first check of all decides alone. @default 3 */
  readonly unhealthyThreshold?: number;
  /** Back in rotation after so many passes in a row. @default 2 */
  readonly healthyThreshold?: number;
  /** Each interval is varied by this share of it, up or down, 0–1, so that clients do not check all at once. @default 0.1 */
  readonly jitter?: number;
}

/** `GET path` on the instance. */
export interface HttpHealthCheck extends HealthCheckTiming {
  readonly type: "http";
  /** Path and query. */
  readonly path: string;
  /** Statuses that pass: single ones and ranges `[from, to]`, both included. @default [[200, 299]] */
  readonly expectedStatuses?: readonly (number | readonly [from: number, to: number])[];
}

/** A connection, with the TLS session where the instance speaks it. */
export interface TcpHealthCheck extends HealthCheckTiming {
  readonly type: "tcp";
}

/** gRPC's standard health service, `grpc.health.v1.Health/Check`, over HTTP/2. */
export interface GrpcHealthCheck extends HealthCheckTiming {
  readonly type: "grpc";
  /** The service asked for; empty = the server as a whole. @default "" */
  readonly service?: string;
}

/** Active checks of every instance of a service; `healthCheck` in the options. */
export type HealthCheckOptions = HttpHealthCheck | TcpHealthCheck | GrpcHealthCheck;

const timingKeys = ["type", "intervalMs", "timeoutMs", "unhealthyThreshold", "healthyThreshold", "jitter"];

/** Path and query as they go out: visible ASCII, no fragment. */
const pathPattern = /^\/[!"$-~]*$/;

/**
 * Checks the `healthCheck` of a service.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkHealthCheck(option: string, check: HealthCheckOptions | false | undefined): void {
  if (check === undefined || check === false) return;
  checkObject(option, check);
  const { type } = check;
  if (type === undefined) refuseOption(`${option}.type`, type, 'one of "http", "tcp", "grpc"');
  checkChoice(`${option}.type`, type, ["http", "tcp", "grpc"]);
  const own = check.type === "http" ? ["path", "expectedStatuses"] : check.type === "grpc" ? ["service"] : [];
  checkKeys(option, check, [...timingKeys, ...own]);
  checkNumber(`${option}.intervalMs`, check.intervalMs, 1, maxTimerMs);
  checkNumber(`${option}.timeoutMs`, check.timeoutMs, 1, maxTimerMs);
  checkInteger(`${option}.unhealthyThreshold`, check.unhealthyThreshold, 1);
  checkInteger(`${option}.healthyThreshold`, check.healthyThreshold, 1);
  checkNumber(`${option}.jitter`, check.jitter, 0, 1);
  if (check.type === "grpc" && check.service !== undefined && check.service !== "") checkText(`${option}.service`, check.service);
  if (check.type !== "http") return;
  if (typeof check.path !== "string" || !pathPattern.test(check.path))
    refuseOption(`${option}.path`, check.path, "a path that begins with / and has no fragment, space or character beyond ASCII");
  if (check.expectedStatuses !== undefined) checkStatuses(`${option}.expectedStatuses`, check.expectedStatuses);
}

function checkStatuses(option: string, statuses: unknown): void {
  const isStatus = (value: unknown) => Number.isInteger(value) && (value as number) >= 100 && (value as number) <= 599;
  const isRange = (value: unknown) => Array.isArray(value) && value.length === 2 && value.every(isStatus) && value[0] <= value[1];
  if (Array.isArray(statuses) && statuses.length > 0 && statuses.every((each) => isStatus(each) || isRange(each))) return;
  refuseOption(option, statuses, "an array of statuses and [from, to] ranges of them, 100 to 599");
}

/** The option of active health checks, for each service. */
export interface HealthCheckOption {
  /** Active checks of every instance that discovery knows: one that fails them is out of rotation until it passes again; `false` = none. @default false */
  readonly healthCheck?: HealthCheckOptions | false;
}

/** The rule of {@link HealthCheckOption}. */
export const healthCheckOption = optionTable<HealthCheckOption>()({
  healthCheck: custom<HealthCheckOptions | false>({
    type: "HealthCheckOptions | false",
    default: false,
    check: (option, value) => checkHealthCheck(option, value as HealthCheckOptions | false),
  }),
});
