import { expect, it } from "vitest";
import { requestHead } from "../../../src/wire/http2/request-head.ts";
import type { UndiciRequest } from "../../../src/wire/undici/undici.ts";

function headOf(headers: UndiciRequest["headers"], request: Partial<UndiciRequest> = {}): readonly string[] {
  return requestHead(
    { method: "GET", path: "/a", host: null, body: null, contentLength: null, headers, ...request } as UndiciRequest,
    "http",
    "b:1",
  );
}

const pseudo = [":method", "GET", ":path", "/a", ":scheme", "http", ":authority", "b:1"];

it("names the authority of the connection, or the host that the request names", () => {
  expect(headOf([])).toEqual(pseudo);
  expect(headOf([], { host: "c" })).toEqual([...pseudo.slice(0, 7), "c"]);
});

it("has each name once and in lower case, with all of its values", () => {
  const given = ["Accept", "x", "X-One", ["1", "2"], "x-one", "3", "Cookie", ["a=1", "b=2"], "cookie", "c=3"];
  expect(headOf(given).slice(8)).toEqual(["accept", "x", "x-one", "1, 2, 3", "cookie", "a=1; b=2; c=3"]);
});

it("tells the length of content that is known, and that a POST has none", () => {
  expect(headOf([], { method: "POST" }).slice(8)).toEqual(["content-length", "0"]);
  expect(headOf([], { method: "POST", body: new Uint8Array(3) }).slice(8)).toEqual(["content-length", "3"]);
  expect(headOf([]).slice(8)).toEqual([]);
});
