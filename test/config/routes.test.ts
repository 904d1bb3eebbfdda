import { describe, expect, it } from "vitest";
import { fromText } from "../../src/config/read-config.ts";
import { rejectionOf } from "../support/rejection.ts";

const read = (routes: string) =>
  fromText(`discovery: { static: { orders: [{ host: 127.0.0.1, port: 80 }] } }\nroutes:\n${routes}`, "mesh.yaml");

describe("routes in a configuration", () => {
  it("are what they are in code", async () => {
    const { routes } = await read(`
  - name: canary
    match: { path: { prefix: /api }, headers: { x-user: { prefix: "7" } } }
    split: { targets: [{ service: orders, weight: 9 }, { service: orders, subset: { version: ^2 }, weight: 1 }] }
    rewrite: { prefix: / }
  - respond: { status: 404, body: gone }
`);
    expect(routes).toEqual([
      {
        name: "canary",
        match: { path: { prefix: "/api" }, headers: { "x-user": { prefix: "7" } } },
        split: {
          targets: [
            { service: "orders", weight: 9 },
            { service: "orders", subset: { version: "^2" }, weight: 1 },
          ],
        },
        rewrite: { prefix: "/" },
      },
      { respond: { status: 404, body: "gone" } },
    ]);
  });

  it.each([
    ["  - match: { path: { exact: orders } }", "mesh.yaml:3:29: routes[0].match.path.exact"],
    ["  - {}\n  - match:\n      pth: {}", 'mesh.yaml:5:7: routes[1].match has no option "pth"; did you mean "path"?'],
    [
      "  - split:\n      targets:\n        - { weight: 1 }\n        - { weight: x }",
      "mesh.yaml:6:21: routes[0].split.targets[1].weight must be a number",
    ],
    ["  - rewrite: { prefix: /x }", "mesh.yaml:3:24: routes[0].rewrite.prefix takes"],
    ["  - name: a\n  - name: a", "mesh.yaml:4:11: routes[1].name"],
    ["  - requestHeaders: { set: { authorization: abc } }", "routes[0].requestHeaders.set.authorization is a secret"],
    ["  -", "mesh.yaml:3:4: routes[0] has no value"],
  ])("say where they are wrong: %s", async (routes, message) => {
    expect(String(await rejectionOf(read(routes)))).toContain(message);
  });
});
