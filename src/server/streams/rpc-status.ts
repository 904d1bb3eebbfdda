/** The names of gRPC's status codes, each at the place of its number. */
export const rpcStatusNames = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The status of HTTP that says the same as each code of gRPC (`google/rpc/code.proto`), in the order of the numbers. */
const httpStatuses: readonly number[] = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** The code by which gRPC says what a refusal of this server says by a status of HTTP. */
const refusals: ReadonlyMap<number, number> = new Map([
  [400, 3],
  [401, 16],
  [403, 7],
  [404, 12],
  [405, 12],
  [413, 8],
  [429, 8],
  [503, 14],
  [504, 4],
]);

/** The name of a code: `NOT_FOUND`; that of `UNKNOWN` for one that gRPC does not have. */
export function rpcStatusName(code: number): string {
  return rpcStatusNames[code] ?? "UNKNOWN";
}

/** The status of HTTP that says the same as a code of gRPC. */
export function httpStatusOfRpc(code: number): number {
  return httpStatuses[code] ?? 500;
}

/** The code of gRPC of a refusal with a status of HTTP. */
export function rpcStatusOfRefusal(status: number): number {
  return refusals.get(status) ?? 2;
}

/** The code in a `grpc-status` header; `undefined` for anything else. */
export function rpcStatusIn(value: unknown): number | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}

/** Text as `grpc-message` has it: percent-encoded, but for the characters of ASCII that can be seen. */
export function rpcMessage(text: string): string {
  return encodeURI(text.trim().slice(0, 1_024).toWellFormed());
}

/** Whether a content type is one of gRPC over HTTP/2: `application/grpc`, `application/grpc+proto`, and not `application/grpc-web`. */
export function isRpcType(type: unknown): boolean {
  return typeof type === "string" && /^application\/grpc(?:[+;]|$)/i.test(type);
}
