import { describe, expect, it } from "vitest";
import { LiveRoutes } from "../../src/routing/live-routes.ts";
import type { Route } from "../../src/routing/route.ts";
import type { RouteSource } from "../../src/routing/route-source.ts";
import { testRequest } from "../../src/testing/request.ts";

const table: readonly Route[] = [{ name: "all", to: "orders" }];

/** Routes of a source that tells of a table at once, with what is told of failures. */
function routesOf(source: Partial<RouteSource>) {
  const refused: string[] = [];
  let watches = 0;
  const watch: RouteSource["watch"] = (...told) => {
    watches++;
    told[0](table);
    return source.watch?.(...told) as () => void;
  };
  const live = new LiveRoutes({ name: "own source", watch }, { check: () => {}, onRefused: (error) => void refused.push(error.message) });
  return { live, refused, watches: () => watches };
}

const failing = {
  watch: () => () => {
    throw new Error("cannot end");
  },
};

describe("the routes of a source", () => {
  it("are watched once, from the first call on", () => {
    const { live, watches } = routesOf({ watch: () => () => {} });
    expect(watches()).toBe(0);
    for (let call = 0; call < 3; call++) expect(live.ruleOf(testRequest())).toBe("all");
    expect(watches()).toBe(1);
  });

  it("are watched once, and are in force, where its watch returns no end", () => {
    const { live, refused, watches } = routesOf({});
    for (let call = 0; call < 3; call++) expect(live.ruleOf(testRequest())).toBe("all");
    expect(watches()).toBe(1);
    expect(refused).toEqual(['watch of "own source" must return a function that ends it']);
    live.close();
  });

  it("close although its end throws, which is told once", () => {
    const { live, refused } = routesOf(failing);
    live.start();
    live.close();
    live.close();
    expect(refused).toEqual(["cannot end"]);
  });

  it("are let go of although its end throws, and stay in force for calls that began by them", async () => {
    const { live, refused } = routesOf(failing);
    live.start();
    live.retire();
    await Promise.resolve();
    expect(refused).toEqual(["cannot end"]);
    expect(live.ruleOf(testRequest())).toBe("all");
  });
});
