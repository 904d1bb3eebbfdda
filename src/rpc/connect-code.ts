import { rpcStatus, rpcStatusName, rpcStatusNamed } from "../core/rpc/rpc-status.ts";

/** The name of a code in the protocol of Connect: `unavailable`, and `canceled` with one l. */
export function connectCodeName(code: number): string {
  return code === rpcStatus.CANCELLED ? "canceled" : rpcStatusName(code).toLowerCase();
}

/** The code of such a name; `undefined` for any other value. */
export function connectCodeNamed(name: unknown): number | undefined {
  if (typeof name !== "string" || !/^[a-z_]+$/.test(name)) return undefined;
  if (name === "canceled") return rpcStatus.CANCELLED;
  const code = rpcStatusNamed(name.toUpperCase());
  return code === rpcStatus.UNKNOWN && name !== "unknown" ? undefined : code;
}
