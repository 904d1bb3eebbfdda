import { describe, expect, it } from "vitest";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";

const routes = [
  { name: "beta", match: [{ headers: { "x-beta": { present: true } } }, { path: { prefix: "/beta" }, method: "POST" }], to: "beta" },
  {
    name: "canary",
    match: { path: { template: "/api/{id}" } },
    split: {
      targets: [
        { service: "shop", weight: 3 },
        { subset: { version: "^2" }, weight: 1, name: "new" },
      ],
      sticky: { header: "x-user" },
    },
    rewrite: { path: "/v2/{id}" },
    requestHeaders: { set: { "x-secret": "abc" }, remove: ["cookie"] },
  },
  { name: "moved", match: { path: { prefix: "/old" } }, redirect: { prefix: "/" } },
] as const;

describe("the explanation of a route", () => {
  it("names the rule, its targets with their shares, its changes, and why earlier rules do not match", async () => {
    const mesh = meshOf({ shop: 1 }, { routes });
    expect(await mesh.route("shop/api/7?secret=1")).toEqual({
      service: "shop",
      method: "GET",
      path: "/api/7",
      rule: "canary",
      index: 1,
      targets: [
        { name: "shop", service: "shop", subset: undefined, share: 0.75, chosen: undefined },
        { name: "new", service: "shop", subset: "version ^2", share: 0.25, chosen: undefined },
      ],
      sentPath: "/v2/7",
      changes: ["removes cookie", "sets x-secret"],
      answer: undefined,
      fault: undefined,
      before: [{ rule: "beta", because: ["headers.x-beta is there", 'method is "POST"'] }],
    });
    const keyed = await mesh.route("shop/api/7", { headers: { "x-user": "7" } });
    expect(keyed.targets.filter(({ chosen }) => chosen)).toHaveLength(1);
  });

  it("names the answer of a rule, and the fault of one that cannot be applied", async () => {
    const mesh = meshOf({ shop: 1 }, { routes });
    expect(await mesh.route("shop/old/x?a=secret", { method: "POST" })).toMatchObject({
      rule: "moved",
      targets: [],
      sentPath: undefined,
      answer: { status: 301, location: "/x" },
    });
    const twice = await mesh.route("shop/old//evil.example");
    expect(twice.answer).toBeUndefined();
    expect(twice.fault).toContain("begins with //");
  });

  it("says so where no rule matches, and where there are no routes", async () => {
    for (const mesh of [meshOf({ shop: 1 }, { routes }), meshOf({ shop: 1 })]) {
      expect(await mesh.route("shop/x")).toMatchObject({
        rule: undefined,
        targets: [{ service: "shop", share: 1, chosen: true }],
        sentPath: "/x",
      });
    }
  });

  it("takes what fetch takes, and refuses what fetch refuses", async () => {
    const mesh = meshOf({ shop: 1 }, { routes, serviceNames: ["shop", "beta"] });
    expect((await mesh.route(new Request("http://shop/x", { headers: { "x-beta": "1" }, method: "POST", body: "x" }))).rule).toBe("beta");
    expect(await rejectionOf(mesh.route("10.0.0.1/x" as "shop"))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
    expect(String(await rejectionOf(mesh.route("users/x" as "shop")))).toContain("users");
  });
});
