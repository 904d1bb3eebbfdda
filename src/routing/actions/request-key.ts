import { answeredCaller, keepAnsweredCallers } from "../../core/peers/answered-caller.ts";
import { cookieValue } from "../matching/cookie-value.ts";
import { queryValue } from "../matching/query-value.ts";
import type { RoutedCall } from "../matching/routed-call.ts";
import type { RouteHashKey, StickyKey } from "../route.ts";

/** Reads a value that keeps calls together; `undefined` for a call without one. */
export type KeyReader = (call: RoutedCall) => string | undefined;

/** Compiles a key. */
export function keyReader(key: StickyKey | RouteHashKey): KeyReader {
  if (key === "hashKey") return (call) => call.request.options.hashKey;
  if (key === "callerAddress") {
    keepAnsweredCallers();
    return () => answeredCaller()?.address;
  }
  if ("query" in key) return (call) => queryValue(call.query, key.query);
  if ("cookie" in key) return (call) => cookieValue(call.request.headers["cookie"], key.cookie);
  const name = key.header.toLowerCase();
  return (call) => call.request.headers[name];
}

/** Compiles keys, of which the first counts that a call has. */
export function firstKeyReader(keys: readonly RouteHashKey[]): KeyReader {
  const readers = keys.map(keyReader);
  return (call) => {
    for (const read of readers) {
      const key = read(call);
      if (key !== undefined && key !== "") return key;
    }
    return undefined;
  };
}
