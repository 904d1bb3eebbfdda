import { queryValue } from "../matching/query-value.ts";
import type { RoutedCall } from "../matching/routed-call.ts";
import type { StickyKey } from "../route.ts";

/** Reads the value that keeps calls together; `undefined` for a call without one. */
export type KeyReader = (call: RoutedCall) => string | undefined;

/** Compiles the key of a split. */
export function keyReader(key: StickyKey): KeyReader {
  if (key === "hashKey") return (call) => call.request.options.hashKey;
  if ("header" in key) {
    const name = key.header.toLowerCase();
    return (call) => call.request.headers[name];
  }
  if ("query" in key) return (call) => queryValue(call.query, key.query);
  const start = `${key.cookie}=`;
  return (call) => cookieAfter(call.request.headers["cookie"] ?? "", start);
}

function cookieAfter(cookies: string, start: string): string | undefined {
  for (const part of cookies.split(";")) {
    const pair = part.trim();
    if (pair.startsWith(start)) return pair.slice(start.length);
  }
  return undefined;
}
