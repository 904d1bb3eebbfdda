import { describe, expect, it } from "vitest";
import { carriesCredentials, isShownHeader, looksSecret } from "../../../src/core/http/secret-headers.ts";

describe("the values of headers", () => {
  it.each(["x-vault-token", "Api-Key", "x-acme-credential", "X-Session", "cookie", "x-amz-security-token"])("of %s are secrets", (name) => {
    expect(looksSecret(name)).toBe(true);
    expect(isShownHeader(name)).toBe(false);
  });

  it.each(["Content-Type", "x-request-id", "idempotency-key"])("of %s are shown", (name) => {
    expect(isShownHeader(name)).toBe(true);
    expect(looksSecret(name)).toBe(false);
  });

  it.each([
    "authorization",
    "cookie",
    "x-forwarded-client-cert",
    "ssl-client-subject-dn",
    "x-remote-user",
    "x-goog-iap-jwt-assertion",
    "x-api-key",
  ])("of %s say which caller it is", (name) => expect(carriesCredentials(name)).toBe(true));

  it.each(["accept", "x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-tenant", "idempotency-key", "x-user-agent"])(
    "of %s give no access",
    (name) => expect(carriesCredentials(name)).toBe(false),
  );
});
