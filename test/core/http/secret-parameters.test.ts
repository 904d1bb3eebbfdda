import { describe, expect, it } from "vitest";
import { hasSecretParameter, isSecretParameter } from "../../../src/core/http/secret-parameters.ts";

describe("the parameters of a query", () => {
  it.each(["access_token", "SIG", "api%5Fkey", "X-Amz-Signature"])("of the name %s hold a secret", (name) =>
    expect(isSecretParameter(name)).toBe(true),
  );

  it.each(["/x?page=2&access_token=a", "/x?%61pikey", "/?sig=a?b"])("are found in %s", (path) =>
    expect(hasSecretParameter(path)).toBe(true),
  );

  it.each(["/", "/token", "/x?", "/x?page=token", "/x?a=b&&c", "/access_token=a"])("are not found in %s", (path) =>
    expect(hasSecretParameter(path)).toBe(false),
  );
});
