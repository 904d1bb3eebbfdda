/** The status codes of gRPC, by name. Connect has the same codes under names of its own. */
export const rpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** The name of a status code of gRPC. */
export type RpcStatusName = keyof typeof rpcStatus;

const names = Object.keys(rpcStatus) as readonly RpcStatusName[];

/** The name of a code; `UNKNOWN` for a number that is none. */
export function rpcStatusName(code: number): RpcStatusName {
  return names[code] ?? "UNKNOWN";
}

/** The code of a name; `UNKNOWN` for a text that is none. */
export function rpcStatusNamed(name: string): number {
  return Object.hasOwn(rpcStatus, name) ? rpcStatus[name as RpcStatusName] : rpcStatus.UNKNOWN;
}

/** The code in a `grpc-status`: a whole number without a sign. Every other text is `UNKNOWN`, as gRPC has it for a status that makes no sense. */
export function readRpcStatus(text: string): number {
  const code = /^\d{1,2}$/.test(text) ? Number(text) : rpcStatus.UNKNOWN;
  return code < names.length ? code : rpcStatus.UNKNOWN;
}

/**
 * The HTTP status that says the same as each code, at the place of its number: the table of `google.rpc.Code`, by which Connect answers and Envoy
 * counts, too.
 */
const httpStatuses = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401] as const;

/** The HTTP status that says the same as a code. */
export function httpStatusOf(code: number): number {
  return httpStatuses[code] ?? 500;
}

/**
 * The code of a response whose HTTP status is not 200 and that has no status of its own: a proxy has answered, or what is no server of gRPC (the table of
 * gRPC, `http-grpc-status-mapping`, which is that of Connect, too).
 */
export function rpcStatusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return rpcStatus.INTERNAL;
    case 401:
      return rpcStatus.UNAUTHENTICATED;
    case 403:
      return rpcStatus.PERMISSION_DENIED;
    case 404:
      return rpcStatus.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return rpcStatus.UNAVAILABLE;
    default:
      return rpcStatus.UNKNOWN;
  }
}
