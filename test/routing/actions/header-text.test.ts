import { expect, it } from "vitest";
import { requestHeaders } from "../../../src/core/http/request-headers.ts";
import { meshRequest } from "../../../src/core/mesh-request.ts";
import { compileText } from "../../../src/routing/actions/header-text.ts";

const request = meshRequest({
  service: "shop",
  method: "GET",
  path: "/a/b?q=1&x=%0d%0ay",
  headers: requestHeaders({ "X-User": "7", cookie: "a=1; s=2" }),
  body: undefined,
  requiresTls: true,
});

it.each([
  ["{method} {scheme}://{host}{target}", "GET https://shop/a/b?q=1&x=%0d%0ay"],
  ["{path}|{query}", "/a/b|q=1&x=%0d%0ay"],
  ["{header.x-user}-{cookie.s}-{parameter.q}", "7-2-1"],
  ["{parameter.x}", "%0d%0ay"],
  ["{header.none}{cookie.none}{parameter.none}{client.address}", ""],
  ["{{{method}}}", "{GET}"],
  ["plain", "plain"],
])("the text %s is made from the call as it came", (text, made) => {
  expect(compileText(text)(request)).toBe(made);
});

it.each(["{", "a}b", "{nope}", "{header.}", "{}", "{constructor}"])("the text %s is refused", (text) => {
  expect(() => compileText(text)).toThrow(/brace stands alone|there is no part/);
});
