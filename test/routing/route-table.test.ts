import { describe, expect, it } from "vitest";
import { requestHeaders } from "../../src/core/http/request-headers.ts";
import { meshRequest } from "../../src/core/mesh-request.ts";
import type { Route } from "../../src/routing/route.ts";
import { compileRoutes } from "../../src/routing/route-table.ts";

interface Asked {
  readonly service?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly hashKey?: string;
}

function asked(path: string, { service = "shop", method = "GET", headers = {}, hashKey }: Asked = {}) {
  const options = hashKey === undefined ? {} : { hashKey };
  return meshRequest({ service, method, path, headers: requestHeaders(headers), body: undefined, options });
}

/** The name of the rule that decides, and none where no rule does; by the index, and by looking at one rule after the other. */
function winner(routes: readonly Route[], path: string, call: Asked = {}): string | undefined {
  const table = compileRoutes(routes);
  const byIndex = table.decide(asked(path, call))?.rule.name;
  expect(table.explain(asked(path, call)).matched?.rule.name).toBe(byIndex);
  return byIndex;
}

const to = (name: string, match: Route["match"]): Route => ({ name, ...(match === undefined ? {} : { match }) });

describe("a table of routes", () => {
  it("lets the first rule decide that matches, however many places the index has them in", () => {
    const routes = [
      to("exact", { path: { exact: "/users/1" } }),
      to("template", { path: { template: "/users/{id}" } }),
      to("prefix", { path: { prefix: "/users" } }),
      to("pattern", { path: { pattern: "/u.*" } }),
      to("rest", undefined),
    ];
    expect(winner(routes, "/users/1")).toBe("exact");
    expect(winner(routes, "/users/2")).toBe("template");
    expect(winner(routes, "/users/2/orders")).toBe("prefix");
    expect(winner(routes, "/usages")).toBe("pattern");
    expect(winner(routes, "/")).toBe("rest");
    expect(winner([...routes].reverse(), "/users/1")).toBe("rest");
  });

  it.each<[string, Route["match"], readonly string[], readonly string[]]>([
    ["exact", { path: { exact: "/a/b" } }, ["/a/b", "/a/b?x=1"], ["/a/b/", "/a", "/A/b", "/a/b/c"]],
    ["exact root", { path: { exact: "/" } }, ["/", "/?q"], ["//", "/a"]],
    ["exact in any case", { path: { exact: "/A/b", ignoreCase: true } }, ["/a/B"], ["/a/c"]],
    ["prefix", { path: { prefix: "/api" } }, ["/api", "/api/", "/api/users", "/api?x"], ["/apis", "/", "/ap"]],
    ["prefix with slash", { path: { prefix: "/api/" } }, ["/api/", "/api/users"], ["/api", "/apis"]],
    ["prefix of everything", { path: { prefix: "/" } }, ["/", "/a", "//"], []],
    ["prefix in any case", { path: { prefix: "/Api", ignoreCase: true } }, ["/aPI/x"], ["/apix"]],
    ["beginning", { path: { begins: "/api" } }, ["/api", "/apis", "/api/x"], ["/ap", "/x/api"]],
    ["beginning in a segment", { path: { begins: "/a/us" } }, ["/a/users", "/a/us", "/a/us/x"], ["/a/u", "/us"]],
    ["beginning with slash", { path: { begins: "/a/" } }, ["/a/", "/a/b"], ["/a", "/ab"]],
    ["template", { path: { template: "/users/{id}/orders" } }, ["/users/1/orders"], ["/users//orders", "/users/1", "/users/1/orders/2"]],
    ["template with rest", { path: { template: "/files/{rest*}" } }, ["/files", "/files/", "/files/a/b"], ["/filesystem"]],
    ["pattern", { path: { pattern: "/users/\\d+" } }, ["/users/12"], ["/users/x", "/users/1/2", "/x/users/1"]],
    ["pattern with alternatives", { path: { pattern: "/a|/b" } }, ["/a", "/b"], ["/c"]],
    ["pattern whose last letter may be missing", { path: { pattern: "/abc?" } }, ["/ab", "/abc"], ["/a"]],
    ["pattern in any case", { path: { pattern: "/users/.*", ignoreCase: true } }, ["/USERS/x"], ["/user"]],
  ])("matches paths: %s", (_name, match, inside, outside) => {
    for (const path of inside) expect([path, winner([to("it", match)], path)]).toEqual([path, "it"]);
    for (const path of outside) expect([path, winner([to("it", match)], path)]).toEqual([path, undefined]);
  });

  it.each<[string, Route["match"], Asked, boolean]>([
    ["a service", { service: "shop" }, {}, true],
    ["one of several services", { service: ["a", "shop"] }, {}, true],
    ["another service", { service: "users" }, {}, false],
    ["a host, which is the service where there is no header", { host: "shop" }, {}, true],
    ["a host in any case and without port", { host: "Shop.example" }, { service: "SHOP.example" }, true],
    ["hosts below one", { host: "*.example" }, { service: "a.b.example" }, true],
    ["hosts below one, and not itself", { host: "*.example" }, { service: "example" }, false],
    ["hosts that begin with one", { host: "shop.*" }, { service: "shop.eu.example" }, true],
    ["every host", { host: ["x", "*"] }, {}, true],
    ["a service and a host", { service: "shop", host: "other" }, {}, false],
    ["a method", { method: ["POST", "GET"] }, {}, true],
    ["another method", { method: "POST" }, {}, false],
    ["a header", { headers: { "X-User": "7" } }, { headers: { "x-user": "7" } }, true],
    ["a header that is not there", { headers: { "x-user": { present: false } } }, {}, true],
    ["a header in a range", { headers: { "x-n": { range: [1, 10] } } }, { headers: { "x-n": "10" } }, false],
    ["a header that is not so", { headers: { "x-user": { exact: "7", not: true } } }, {}, true],
    ["a header that is there and not so", { headers: { "x-user": { exact: "7", not: true, present: true } } }, {}, false],
    [
      "a version of a header",
      { version: { from: { header: "x-api-version" }, range: "2" } },
      { headers: { "x-api-version": "2.3" } },
      true,
    ],
    [
      "a version of a media type",
      { version: { from: "mediaType", range: ">=2" } },
      { headers: { accept: "application/json;version=1" } },
      false,
    ],
  ])("matches calls: %s", (_name, match, call, isMatch) => {
    expect(winner([to("it", match)], "/x", call)).toBe(isMatch ? "it" : undefined);
  });

  it("matches parameters of the query, decoded", () => {
    const routes = [to("it", { query: { näme: "a b" } })];
    expect(winner(routes, "/x?y=1&n%C3%A4me=a+b")).toBe("it");
    expect(winner(routes, "/x?n%C3%A4me=b&n%C3%A4me=a+b")).toBeUndefined();
  });

  it("matches the version in a segment", () => {
    const routes = [to("it", { version: { from: { segment: 1 }, range: "^2.1" } })];
    expect(winner(routes, "/api/v2.4/users")).toBe("it");
    expect(winner(routes, "/api/v2/users")).toBeUndefined();
    expect(winner(routes, "/api/2.4/users")).toBeUndefined();
  });

  it("splits by the hash of a key, and by chance where there is none", () => {
    const split = {
      targets: [
        { service: "a", weight: 90 },
        { service: "b", weight: 10 },
      ],
      sticky: "hashKey",
    } as const;
    const table = compileRoutes([{ split }]);
    const target = (hashKey?: string, random = 0.5) =>
      table.decide(asked("/", hashKey === undefined ? {} : { hashKey }), () => random)?.target.service;
    expect(target("one", 0.1)).toBe(target("one", 0.99));
    expect([target(undefined, 0.89), target(undefined, 0.9), target(undefined, 1)]).toEqual(["a", "b", "b"]);
    const shareOfB = Array.from({ length: 2_000 }, (_, index) => target(`user-${index}`)).filter((name) => name === "b").length / 2_000;
    expect(shareOfB).toBeGreaterThan(0.07);
    expect(shareOfB).toBeLessThan(0.13);
  });

  it("makes no object for a decision: equal calls get the same one", () => {
    const table = compileRoutes([{ match: { path: { prefix: "/" } }, to: "users" }]);
    expect(table.decide(asked("/a"))).toBe(table.decide(asked("/b")));
  });
});
