import { describe, expect, it } from "vitest";
import { interceptorOf } from "../../../src/core/stages/stage.ts";
import { retry } from "../../../src/policies/retry/retry.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";
import { type Ending, sequence } from "../../support/endings.ts";
import { openResponse } from "../../support/open-response.ts";

/** Number of attempts where each ends in the same way, for a method that may be executed twice and for one that may not. */
interface Row {
  readonly ends: string;
  readonly ending: () => Ending;
  /** GET HEAD OPTIONS TRACE QUERY, whatever the caller declares idempotent, and PUT DELETE by RFC 9110. */
  readonly safe: number;
  /** POST PATCH CONNECT, PUT and DELETE by default, and whatever the caller declares not to be idempotent. */
  readonly unsafe: number;
}

const rows: readonly Row[] = [
  { ends: "no connection", ending: () => ({ code: "ERR_MESH_CONNECT" }), safe: 3, unsafe: 3 },
  { ends: "a certificate refused", ending: () => ({ code: "ERR_MESH_TLS_PEER" }), safe: 3, unsafe: 3 },
  { ends: "the attempt's time limit in the queue", ending: () => ({ code: "ERR_MESH_TIMEOUT", phase: "connect" }), safe: 3, unsafe: 3 },
  { ends: "no descriptors left here", ending: () => ({ code: "ERR_MESH_LOCAL_RESOURCE" }), safe: 2, unsafe: 2 },
  { ends: "a stream refused", ending: () => ({ code: "ERR_MESH_PROTOCOL", phase: "headers", maybeExecuted: false }), safe: 3, unsafe: 3 },
  { ends: "a reset after it was sent", ending: () => ({ code: "ERR_MESH_PROTOCOL" }), safe: 3, unsafe: 1 },
  { ends: "the attempt's time limit after it was sent", ending: () => ({ code: "ERR_MESH_TIMEOUT" }), safe: 3, unsafe: 1 },
  { ends: "a time limit in the body", ending: () => ({ code: "ERR_MESH_TIMEOUT", phase: "body" }), safe: 1, unsafe: 1 },
  { ends: "a body cut off", ending: () => ({ code: "ERR_MESH_BODY", phase: "body" }), safe: 1, unsafe: 1 },
  { ends: "no endpoints", ending: () => ({ code: "ERR_MESH_NO_ENDPOINTS", maybeExecuted: false }), safe: 1, unsafe: 1 },
  { ends: "a limit of concurrency", ending: () => ({ code: "ERR_MESH_OVERLOADED" }), safe: 1, unsafe: 1 },
  { ends: "a policy's refusal", ending: () => ({ code: "ERR_MESH_FORBIDDEN" }), safe: 1, unsafe: 1 },
  { ends: "the mesh closed", ending: () => ({ code: "ERR_MESH_CLOSED" }), safe: 1, unsafe: 1 },
  { ends: "the caller's mistake", ending: () => ({ throws: new TypeError("invalid header") }), safe: 1, unsafe: 1 },
  { ends: "the caller's abort", ending: () => ({ throws: new DOMException("stop", "AbortError") }), safe: 1, unsafe: 1 },
  { ends: "408", ending: () => 408, safe: 3, unsafe: 1 },
  { ends: "421", ending: () => 421, safe: 3, unsafe: 3 },
  { ends: "425", ending: () => 425, safe: 2, unsafe: 2 },
  { ends: "502", ending: () => 502, safe: 3, unsafe: 1 },
  { ends: "503", ending: () => 503, safe: 3, unsafe: 1 },
  { ends: "504", ending: () => 504, safe: 3, unsafe: 1 },
  { ends: "503 of an instance that drains", ending: () => openResponse(503, { "x-mesh-refused": "1" }), safe: 3, unsafe: 3 },
  { ends: "503 with another mark", ending: () => openResponse(503, { "x-mesh-refused": "0" }), safe: 3, unsafe: 1 },
  ...[200, 204, 301, 304, 400, 401, 404, 409, 429, 500, 501, 505, 511].map(
    (status): Row => ({ ends: String(status), ending: () => status, safe: 1, unsafe: 1 }),
  ),
];

const safeMethods = ["GET", "HEAD", "OPTIONS", "TRACE", "QUERY"];
const rfcMethods = ["PUT", "DELETE"];
const unsafeMethods = ["POST", "PATCH", "CONNECT", "PURGE"];

async function attempts(
  ending: () => Ending,
  method: string,
  rules: { idempotent?: "safe" | "idempotent"; declared?: boolean; idempotencyKeys?: boolean; headers?: Record<string, string> } = {},
): Promise<number> {
  const clock = virtualClock();
  const { dispatch, requests } = sequence(ending());
  const options = rules.declared === undefined ? {} : { idempotent: rules.declared };
  const { idempotent = "safe", idempotencyKeys = false, headers = {} } = rules;
  const interceptor = interceptorOf(retry({ clock, random: () => 0, methods: idempotent, idempotencyKeys: idempotencyKeys }));
  await interceptor(dispatch)(testRequest({ method, options, headers })).catch(() => {});
  return requests.length;
}

describe("the retry table", () => {
  for (const { ends, ending, safe, unsafe } of rows) {
    it(`after ${ends} makes ${safe} attempts of safe methods and ${unsafe} of others`, async () => {
      for (const method of safeMethods) expect(await attempts(ending, method), method).toBe(safe);
      for (const method of [...rfcMethods, ...unsafeMethods]) expect(await attempts(ending, method), method).toBe(unsafe);
      for (const method of rfcMethods)
        expect(await attempts(ending, method, { idempotent: "idempotent" }), `${method} by RFC 9110`).toBe(safe);
      for (const method of unsafeMethods)
        expect(await attempts(ending, method, { idempotent: "idempotent" }), `${method} by RFC 9110`).toBe(unsafe);
      expect(await attempts(ending, "POST", { declared: true }), "POST declared idempotent").toBe(safe);
      expect(await attempts(ending, "GET", { declared: false }), "GET declared not idempotent").toBe(unsafe);
      const headers = { "idempotency-key": "8e03978e" };
      expect(await attempts(ending, "POST", { headers }), "POST with a key that may mean nothing").toBe(unsafe);
      const honoured = { headers, idempotencyKeys: true };
      expect(await attempts(ending, "POST", honoured), "POST with a key that the service honours").toBe(safe);
      expect(await attempts(ending, "POST", { ...honoured, declared: false }), "POST with a key, declared not idempotent").toBe(unsafe);
      expect(await attempts(ending, "POST", { idempotencyKeys: true }), "POST without a key").toBe(unsafe);
    });
  }
});
