import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cancellation } from "../../src/core/cancellation.ts";
import type { MeshRequest, MeshResponse } from "../../src/core/dispatch.ts";
import { isMeshError, MeshError, type MeshErrorCode, meshErrorCodes, type Phase } from "../../src/core/errors.ts";
import { interceptorOf } from "../../src/core/stages/stage.ts";
import { retry } from "../../src/policies/retry/retry.ts";
import { type Decision, decide, type Failure } from "../../src/policies/retry/retry-decision.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { Exchange } from "../../src/wire/exchange.ts";
import { CallerFault, failureOf } from "../../src/wire/failure.ts";
import { type Ending, endings } from "../support/endings.ts";
import { openResponse } from "../support/open-response.ts";

const meshCodes = Object.keys(meshErrorCodes) as readonly MeshErrorCode[];
const methods = ["GET", "HEAD", "OPTIONS", "TRACE", "QUERY", "PUT", "DELETE", "POST", "PATCH", "CONNECT", "get", "__proto__", ""];
const phases: readonly Phase[] = ["pick", "connect", "headers", "body"];
const lists = ["safe", "idempotent"] as const;
const causeCodes = [
  ...[
    "ECONNREFUSED",
    "ECONNRESET",
    "EPIPE",
    "ETIMEDOUT",
    "ENOTFOUND",
    "EMFILE",
    "ENOBUFS",
    "CERT_HAS_EXPIRED",
    "ERR_SSL_WRONG_VERSION_NUMBER",
  ],
  ...[
    "UND_ERR_SOCKET",
    "UND_ERR_INFO",
    "UND_ERR_CONNECT_TIMEOUT",
    "UND_ERR_HEADERS_TIMEOUT",
    "UND_ERR_BODY_TIMEOUT",
    "UND_ERR_HEADERS_OVERFLOW",
  ],
  ...["UND_ERR_DESTROYED", "UND_ERR_CLOSED", "UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED", "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"],
  ...["ERR_HTTP2_STREAM_ERROR", "ERR_HTTP2_GOAWAY_SESSION", "ERR_HTTP2_SESSION_ERROR", "HPE_INVALID_CONSTANT", "SOMETHING_NEW"],
];

async function* stream(): AsyncGenerator<string> {
  yield "part";
}

const bodies = [undefined, "text", new Uint8Array(2), new Blob(["x"]), stream, stream()];
/** Those that cannot be sent a second time. */
const isOneShot = (body: unknown) => body !== undefined && body === bodies.at(-1);

const refusal = Object.assign(new Error("Stream closed with error code NGHTTP2_REFUSED_STREAM"), { code: "ERR_HTTP2_STREAM_ERROR" });
const goaway = Object.assign(new Error("New streams cannot be created"), { code: "ERR_HTTP2_GOAWAY_SESSION" });
/** The HTTP/2 layer of the peer says itself that it did not process the stream: the only word that counts after the start. */
const isPeersWord = (cause: unknown, hasHead: boolean) =>
  !hasHead && (cause === refusal || (cause as { code?: unknown })?.code === goaway.code);

const causes = fc.oneof(
  fc.constantFrom(refusal, goaway, new CallerFault("unreadable"), undefined, null, "text", 5, {}),
  fc.tuple(fc.constantFrom(...causeCodes), fc.string()).map(([code, message]) => Object.assign(new Error(message), { code })),
  fc.string().map((code) => Object.assign(new Error("m"), { code })),
);
const requests = fc.record({
  method: fc.constantFrom(...methods),
  body: fc.constantFrom(...bodies),
  attempt: fc.integer({ min: 1, max: 5 }),
  options: fc.constantFrom({}, { idempotent: true }, { idempotent: false }),
});

/** The invariants of every decision. */
function expectSound(decision: Decision, request: MeshRequest): void {
  if (!decision.retry) {
    expect([undefined, "attempts", "not-safe", "body"]).toContain(decision.denial);
    return;
  }
  expect(decision.reason).not.toBe("");
  // Without a pause only where it is free, and once: whatever is charged waits.
  if (decision.isImmediate) expect([decision.isFree, request.attempt]).toEqual([true, 1]);
}

describe("decide", () => {
  it("has an answer to every error, whatever the attempts before it say", () => {
    const records = fc.array(fc.record({ phase: fc.constantFrom(...phases), maybeExecuted: fc.boolean() }), { maxLength: 3 });
    const errors = fc.oneof(
      fc.constantFrom(...meshCodes).map((code) => new MeshError(code, "m")),
      fc.anything(),
    );
    fc.assert(
      fc.property(requests, records, errors, fc.constantFrom(...lists), (fields, attempts, error, idempotent) => {
        const noted = attempts.map((each) => ({ endpoint: "a", address: "a:1", ms: 1, ...each }));
        const request = testRequest({ ...fields, attempts: noted });
        const decision = decide(request, { error }, { methods: idempotent });
        expectSound(decision, request);
        if (!isMeshError(error)) expect(decision).toEqual({ retry: false, denial: undefined });
      }),
      { numRuns: 1_000 },
    );
  });

  it("has an answer to every status, takes no status below 400 and no 500 for a failure, and repeats a POST only where the answer says that it was declined", () => {
    const headers = fc.constantFrom({}, { "x-mesh-refused": "1" }, { "x-mesh-refused": "0" });
    const status = fc.oneof(fc.integer({ min: 100, max: 999 }), fc.constantFrom(408, 421, 425, 500, 502, 503, 504));
    fc.assert(
      fc.property(requests, status, headers, fc.constantFrom(...lists), (fields, code, given, idempotent) => {
        const request = testRequest(fields);
        const decision = decide(request, { response: openResponse(code, given) }, { methods: idempotent });
        expectSound(decision, request);
        const isDeclined = code === 421 || code === 425 || (code === 503 && "x-mesh-refused" in given && given["x-mesh-refused"] === "1");
        if (code < 400 || code === 500 || code === 429) expect(decision.retry).toBe(false);
        if (!decision.retry) return;
        expect(decision.isFree, "an answer is an attempt that reached the instance").toBe(false);
        expect(isOneShot(request.body)).toBe(false);
        if (isUnsafe(request, idempotent)) expect(isDeclined).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is monotone: what was given to a socket is not free, and no POST is repeated, unless the peer says that it did not process it", () => {
    fc.assert(
      fc.property(
        requests,
        causes,
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(...lists),
        (fields, cause, isStarted, hasHead, idempotent) => {
          const request = testRequest({ ...fields, upstream: testUpstream(), attempts: [] });
          const isSent = isStarted || hasHead;
          const error = failureOf({ request, isSent, hasHead, status: hasHead ? 200 : undefined, ms: 1, index: undefined }, cause);
          expectMonotone(request, { error }, idempotent, isSent && !isPeersWord(cause, hasHead), isSent);
        },
      ),
      { numRuns: 1_500 },
    );
  });
});

function isUnsafe({ method, options }: MeshRequest, idempotent: (typeof lists)[number]): boolean {
  const repeatable = idempotent === "safe" ? methods.slice(0, 5) : methods.slice(0, 7);
  return !(options.idempotent ?? repeatable.includes(method));
}

function expectMonotone(
  request: MeshRequest,
  failure: Failure,
  idempotent: (typeof lists)[number],
  isExecutable: boolean,
  isSent: boolean,
): void {
  const record = request.attempts.at(-1);
  expect(record?.maybeExecuted).toBe(isExecutable);
  if (isMeshError(failure.error) && failure.error.attempts.length > 0) expect(failure.error.maybeExecuted).toBe(isExecutable);
  expect(record?.phase === "connect").toBe(!isSent);
  const decision = decide(request, failure, { methods: idempotent });
  expectSound(decision, request);
  if (!decision.retry) return;
  if (isSent) expect(isOneShot(request.body), "a stream that may have been read").toBe(false);
  if (isExecutable) expect([decision.isFree, isUnsafe(request, idempotent)]).toEqual([false, false]);
  // Free after the start: only the first refusal of a stream.
  else if (isSent && decision.isFree) expect(request.attempt).toBe(1);
}

/** The events of one attempt, by undici, a time limit and the caller, in any order. */
type Event = "start" | "informational" | "head" | "data" | "complete" | "timeout" | "abort" | { readonly cause: unknown };

describe("an exchange", () => {
  const event = fc.oneof(
    fc.constantFrom<Event>("start", "informational", "head", "data", "complete", "timeout", "abort"),
    causes.map((cause): Event => ({ cause })),
  );

  it("notes every attempt once, and as one that may have been executed from the start on, whatever comes in whatever order", async () => {
    await fc.assert(
      fc.asyncProperty(requests, fc.array(event, { maxLength: 8 }), fc.constantFrom(...lists), async (fields, events, idempotent) => {
        const cancellation = new Cancellation();
        const request = testRequest({ ...fields, upstream: testUpstream(), attempts: [], cancellation });
        const settled: (MeshResponse | Promise<never>)[] = [];
        const exchange = new Exchange(request, virtualClock(), (head) => settled.push(head));
        const timeout = new MeshError("ERR_MESH_TIMEOUT", "m", { service: "test" });
        let isSent = false;
        let hasHead = false;
        let end: unknown;
        for (const each of events) {
          if (end !== undefined) break;
          if (each === "timeout" || each === "abort") {
            // An attempt's limit ends with its head.
            end = each === "timeout" && !hasHead ? timeout : new DOMException("stop", "AbortError");
            cancellation.cancel(end);
          } else if (typeof each === "object") {
            end = each.cause ?? new Error("none");
            exchange.onError(end as Error);
          } else if (each === "start" && !isSent) {
            exchange.onConnect(() => {});
            isSent = true;
          } else if (!isSent) continue;
          else if (each === "informational" && !hasHead) exchange.onHeaders(103, [], () => {}, "");
          else if (each === "head" && !hasHead) {
            exchange.onHeaders(200, [], () => {}, "OK");
            hasHead = true;
          } else if (each === "data" && hasHead) exchange.onData(Buffer.from("x"));
          else if (each === "complete" && hasHead) {
            exchange.onComplete([]);
            end = "complete";
          }
        }
        expect(settled.length).toBe(hasHead || end !== undefined ? 1 : 0);
        expect(request.attempts.length).toBe(settled.length);
        const error = await Promise.resolve(settled[0]).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (settled.length === 0) return;
        if (hasHead) expect(request.attempts[0]).toMatchObject({ phase: "body", maybeExecuted: true });
        else expectMonotone(request, { error }, idempotent, isSent && !isPeersWord(end, hasHead), isSent);
      }),
      { numRuns: 800 },
    );
  });
});

describe("retry", () => {
  const ending: fc.Arbitrary<Ending> = fc.oneof(
    fc.constantFrom<Ending>(200, 408, 421, 425, 429, 500, 502, 503, 504),
    fc.record({ code: fc.constantFrom(...meshCodes) }),
    fc.record({
      code: fc.constantFrom<MeshErrorCode>("ERR_MESH_TIMEOUT", "ERR_MESH_PROTOCOL"),
      phase: fc.constantFrom<Phase>("connect", "headers"),
    }),
    fc.constant<Ending>({ code: "ERR_MESH_PROTOCOL", phase: "headers", maybeExecuted: false }),
    fc.constant<Ending>({ throws: new DOMException("stop", "AbortError") }),
  );

  it("never makes another attempt of a POST after one that may have been executed, and says so of the call", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...methods),
        fc.constantFrom<{ idempotent?: boolean }>({}, { idempotent: true }, { idempotent: false }),
        fc.array(ending, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(...lists),
        async (method, options, script, maxAttempts, idempotent) => {
          let index = 0;
          const { dispatch, requests: made } = endings(() => script[Math.min(index++, script.length - 1)] as Ending);
          const request = testRequest({ method, options, attempts: [] });
          const stage = retry({ maxAttempts, methods: idempotent, clock: virtualClock(), random: () => 0 });
          const error = await interceptorOf(stage)(dispatch)(request).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          expect(made.length).toBeLessThanOrEqual(maxAttempts);
          expect(made.map(({ attempt }) => attempt)).toEqual(made.map((_, place) => place + 1));
          expect(request.attempts.length).toBe(made.length);
          const followed = request.attempts.slice(0, -1);
          const mayHaveRun = followed.filter(({ maybeExecuted, status }) => maybeExecuted && status !== 421 && status !== 425);
          if (isUnsafe(request, idempotent)) expect(mayHaveRun).toEqual([]);
          if (isMeshError(error)) expect(error.maybeExecuted).toBe(request.attempts.some(({ maybeExecuted }) => maybeExecuted));
        },
      ),
      { numRuns: 500 },
    );
  });
});
