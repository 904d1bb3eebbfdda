import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AttemptRecord, MeshError } from "../../src/core/errors.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { CallerFault, failureOf } from "../../src/wire/failure.ts";

function classified(code: string | undefined, isSent: boolean, hasHead: boolean, extra: object = {}): MeshError {
  const request = testRequest({ upstream: testUpstream() });
  const cause = Object.assign(new Error("message"), code === undefined ? {} : { code }, extra);
  return failureOf({ request, isSent, hasHead, status: hasHead ? 200 : undefined, ms: 1.2345, index: undefined }, cause) as MeshError;
}

const codes = [
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EMFILE",
  "ENFILE",
  "EADDRNOTAVAIL",
  "ENOBUFS",
  "ENOMEM",
  "UND_ERR_SOCKET",
  "UND_ERR_INFO",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_HEADERS_OVERFLOW",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
  "UND_ERR_DESTROYED",
  "UND_ERR_CLOSED",
  "UND_ERR_INVALID_ARG",
  "UND_ERR_ABORTED",
  "HPE_INVALID_CONSTANT",
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_HTTP2_STREAM_ERROR",
  "SOMETHING_NEW",
  undefined,
];

describe("failureOf", () => {
  it.each([
    ["ECONNREFUSED", false, false, "ERR_MESH_CONNECT", "connect", false],
    ["ECONNRESET", false, false, "ERR_MESH_CONNECT", "connect", false],
    ["UND_ERR_CONNECT_TIMEOUT", false, false, "ERR_MESH_CONNECT", "connect", false],
    ["ENOTFOUND", false, false, "ERR_MESH_CONNECT", "connect", false],
    [undefined, false, false, "ERR_MESH_CONNECT", "connect", false],
    ["CERT_HAS_EXPIRED", false, false, "ERR_MESH_TLS_PEER", "connect", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", false, false, "ERR_MESH_TLS_PEER", "connect", false],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", false, false, "ERR_MESH_TLS_PEER", "connect", false],
    ["INVALID_PURPOSE", false, false, "ERR_MESH_TLS_PEER", "connect", false],
    ["INVALID_CA", false, false, "ERR_MESH_TLS_PEER", "connect", false],
    ["PATH_LENGTH_EXCEEDED", false, false, "ERR_MESH_TLS_PEER", "connect", false],
    ["CRL_HAS_EXPIRED", false, false, "ERR_MESH_TLS_PEER", "connect", false],
    ["ERROR_IN_CERT_NOT_AFTER_FIELD", false, false, "ERR_MESH_TLS_PEER", "connect", false],
    ["UNSPECIFIED", false, false, "ERR_MESH_TLS_PEER", "connect", false],
    ["UNSPECIFIED", true, false, "ERR_MESH_PROTOCOL", "headers", true],
    ["EMFILE", false, false, "ERR_MESH_LOCAL_RESOURCE", "connect", false],
    ["EADDRNOTAVAIL", false, false, "ERR_MESH_LOCAL_RESOURCE", "connect", false],
    ["ENOBUFS", true, false, "ERR_MESH_PROTOCOL", "headers", true],
    ["ECONNRESET", true, false, "ERR_MESH_PROTOCOL", "headers", true],
    ["UND_ERR_SOCKET", true, false, "ERR_MESH_PROTOCOL", "headers", true],
    ["UND_ERR_INFO", true, false, "ERR_MESH_PROTOCOL", "headers", true],
    ["HPE_INVALID_CONSTANT", true, false, "ERR_MESH_PROTOCOL", "headers", true],
    ["UND_ERR_HEADERS_OVERFLOW", true, false, "ERR_MESH_PROTOCOL", "headers", true],
    ["UND_ERR_HEADERS_TIMEOUT", true, false, "ERR_MESH_TIMEOUT", "headers", true],
    ["UND_ERR_BODY_TIMEOUT", true, true, "ERR_MESH_TIMEOUT", "body", true],
    ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", true, true, "ERR_MESH_BODY", "body", true],
    ["ECONNRESET", true, true, "ERR_MESH_BODY", "body", true],
    ["UND_ERR_DESTROYED", false, false, "ERR_MESH_CLOSED", "connect", false],
    ["UND_ERR_DESTROYED", true, true, "ERR_MESH_CLOSED", "body", true],
  ] as const)("%s, sent %s, head %s: %s", (code, isSent, hasHead, expected, phase, maybeExecuted) => {
    const error = classified(code, isSent, hasHead);
    expect(error).toMatchObject({ name: "MeshError", code: expected, service: "test", maybeExecuted });
    expect(error.attempts).toMatchObject([{ phase, maybeExecuted, endpoint: "127.0.0.1:8080", address: "127.0.0.1:8080", ms: 1.23 }]);
    expect(error.message).toContain('127.0.0.1:8080 of "test"');
  });

  it("takes HTTP/2's own word that a stream was not processed", () => {
    const reset = (code: string) => ({ message: `Stream closed with error code ${code}` });
    expect(classified("ERR_HTTP2_STREAM_ERROR", true, false, reset("NGHTTP2_REFUSED_STREAM")).maybeExecuted).toBe(false);
    expect(classified("ERR_HTTP2_STREAM_ERROR", true, true, reset("NGHTTP2_REFUSED_STREAM")).maybeExecuted).toBe(true);
    expect(classified("ERR_HTTP2_STREAM_ERROR", true, false, reset("NGHTTP2_CANCEL")).maybeExecuted).toBe(true);
    // undici says it of streams that are being processed too.
    expect(classified("UND_ERR_SOCKET", true, false, { message: 'HTTP/2: "GOAWAY" frame received with code 0' }).maybeExecuted).toBe(true);
  });

  it("tells mistakes of the caller's apart", () => {
    expect(classified("UND_ERR_INVALID_ARG", false, false)).toBeInstanceOf(TypeError);
    const request = testRequest();
    const fault = failureOf(
      { request, isSent: true, hasHead: false, status: undefined, ms: 0, index: undefined },
      new CallerFault("unreadable"),
    );
    expect(fault).toMatchObject({ code: "ERR_MESH_BODY", maybeExecuted: true });
  });

  it("puts the record in the place of the one that was made at the head", () => {
    const earlier: AttemptRecord = { endpoint: "a", address: "a:1", phase: "body", status: 200, ms: 1, maybeExecuted: true };
    const request = testRequest({ attempts: [earlier, earlier] });
    failureOf({ request, isSent: true, hasHead: true, status: 200, ms: 5, index: 0 }, new Error("cut"));
    expect(request.attempts).toMatchObject([{ ms: 5, code: "ERR_MESH_BODY" }, { ms: 1 }]);
  });

  it("never says of a request that was given to a socket that it was certainly not executed, and has a word for everything", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(...codes), fc.string()),
        fc.boolean(),
        fc.boolean(),
        fc.oneof(fc.constant({}), fc.object()),
        (code, isSent, hasHead, extra) => {
          const { http2ErrorCode: _code, message: _message, code: _other, ...harmless } = extra as Record<string, unknown>;
          const error = classified(code, isSent || hasHead, hasHead, { cause: harmless });
          if ((error as Error) instanceof TypeError) return;
          expect(error.maybeExecuted).toBe(isSent || hasHead);
          expect(error.code).toMatch(/^ERR_MESH_/);
        },
      ),
    );
    for (const thrown of [undefined, null, "text", 5, {}]) {
      const request = testRequest({ upstream: testUpstream() });
      expect(failureOf({ request, isSent: true, hasHead: false, status: undefined, ms: 0, index: undefined }, thrown)).toMatchObject({
        code: "ERR_MESH_PROTOCOL",
        maybeExecuted: true,
      });
    }
  });
});
