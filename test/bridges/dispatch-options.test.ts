import { describe, expect, it } from "vitest";
import { bodyOf, checkDispatch, checkHandler, headerPairs, withQuery } from "../../src/bridges/dispatch-options.ts";
import { errors } from "../../src/wire/undici/undici.ts";

const usual = { origin: "http://users", path: "/x", method: "GET" as const };

describe("the options of a dispatch", () => {
  it.each<[string, object]>([
    ["a path that is no string", { path: 5 }],
    ["a path without a slash", { path: "-admin/x" }],
    ["a path with a space", { path: "/a b" }],
    ["a method that is no string", { method: 5 }],
    ["a method that is no token", { method: "G T" }],
    ["an upgrade that is no string", { upgrade: {} }],
    ["an upgrade that is no header", { upgrade: "a\nb" }],
    ["a negative headersTimeout", { headersTimeout: -1 }],
    ["a bodyTimeout that is no number", { bodyTimeout: "5" }],
    ["a reset that is no boolean", { reset: 0 }],
    ["an expectContinue that is no boolean", { expectContinue: "yes" }],
    ["throwOnError", { throwOnError: true }],
    ["maxRedirections", { maxRedirections: 1 }],
  ])("are refused in undici's words for %s", (_what, wrong) => {
    expect(() => checkDispatch({ ...usual, ...wrong } as never)).toThrow(errors.InvalidArgumentError);
  });

  it("may leave out what undici may leave out", () => {
    for (const absent of [undefined, null]) {
      const rest = {
        upgrade: absent,
        headersTimeout: absent,
        bodyTimeout: absent,
        reset: absent,
        idempotent: absent,
        throwOnError: absent,
      };
      expect(() => checkDispatch({ ...usual, ...rest } as never)).not.toThrow();
    }
  });
});

describe("the headers of a dispatch", () => {
  it.each<[string, unknown]>([
    ["names and values in turn", ["x-a", "1", "x-b", ["2", "3"]]],
    ["a record", { "x-a": 1, "x-b": ["2", "3"], "x-c": undefined }],
    [
      "a Map",
      new Map<string, unknown>([
        ["x-a", "1"],
        ["x-b", ["2", "3"]],
      ]),
    ],
    [
      "pairs of another realm",
      {
        *[Symbol.iterator]() {
          yield ["x-a", "1"];
          yield ["x-b", "2"];
          yield ["x-b", "3"];
        },
      },
    ],
  ])("are taken as %s", (_form, headers) => {
    expect(headerPairs(headers)).toEqual([
      ["x-a", "1"],
      ["x-b", "2"],
      ["x-b", "3"],
    ]);
  });

  it("may have a value of nothing", () => {
    expect(headerPairs({ "x-a": null })).toEqual([["x-a", ""]]);
    for (const none of [null, undefined, [], {}]) expect(headerPairs(none)).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["an odd list", ["x-a"]],
    ["a text", "x-a: 1"],
    ["a list of lists that are no pairs", new Set([["x-a"]])],
    ["an object as value", { "x-a": {} }],
    ["an object in a list of values", { "x-a": [{}] }],
    ["a line break", { "x-a": "1\r\nx-b: 2" }],
    ["a name with a space", { "x a": "1" }],
    ["transfer-encoding", { "Transfer-Encoding": "chunked" }],
    ["keep-alive", ["keep-alive", "timeout=5"]],
    ["upgrade", { upgrade: "websocket" }],
    ["two lengths", ["content-length", "1", "Content-Length", "1"]],
    ["a length that is no number", { "content-length": "many" }],
    ["a list of hosts", { host: ["a", "b"] }],
    ["a connection that is no token", { connection: "a b" }],
  ])("are refused in undici's words for %s", (_what, headers) => {
    expect(() => headerPairs(headers)).toThrow(errors.InvalidArgumentError);
  });

  it("may not expect anything", () => {
    expect(() => headerPairs({ Expect: "100-continue" })).toThrow(errors.NotSupportedError);
  });
});

describe("a handler", () => {
  const whole = { onConnect() {}, onHeaders() {}, onData() {}, onComplete() {}, onError() {}, onUpgrade() {} };

  it.each(["onConnect", "onHeaders", "onData", "onComplete", "onError"])("needs %s", (name) => {
    expect(() => checkHandler({ ...whole, [name]: undefined }, false)).toThrow(`invalid ${name} method`);
  });

  it("needs onUpgrade for an upgrade only, and nothing of the earlier kind when it is of the later", () => {
    expect(() => checkHandler({ ...whole, onUpgrade: undefined }, true)).toThrow("invalid onUpgrade method");
    expect(() => checkHandler({ ...whole, onUpgrade: undefined }, false)).not.toThrow();
    expect(() => checkHandler({ onRequestStart() {} }, false)).not.toThrow();
    expect(() => checkHandler({ ...whole, onBodySent: 5 }, false)).toThrow("invalid onBodySent method");
  });
});

describe("the query and the body of a dispatch", () => {
  it("go with the path, unless that has a query", () => {
    expect(withQuery("/x", { a: "1 2", b: ["x", "y"] })).toBe("/x?a=1%202&b=x&b=y");
    expect([withQuery("/x", undefined), withQuery("/x", {})]).toEqual(["/x", "/x"]);
    expect(() => withQuery("/x?a", { b: 1 })).toThrow(errors.InvalidArgumentError);
  });

  it("may be an iterable, and may not be a number", async () => {
    const chunks: unknown[] = [];
    for await (const chunk of bodyOf(["a", "b"]) as AsyncIterable<string>) chunks.push(chunk);
    expect(chunks).toEqual(["a", "b"]);
    for (const wrong of [5, true, Symbol("x"), {}, new Date()]) expect(() => bodyOf(wrong)).toThrow(errors.InvalidArgumentError);
  });
});
