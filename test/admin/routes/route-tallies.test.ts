import { describe, expect, it } from "vitest";
import type { MeshSnapshot, ServiceSnapshot } from "../../../src/admin/admin.ts";
import { RouteTallies } from "../../../src/admin/routes/route-tallies.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";
import { runCli } from "../../cli/run-cli.ts";
import { meshOf } from "../../support/mesh.ts";
import { serve } from "../../support/servers.ts";
import { until } from "../../support/until.ts";
import { adminOf, ask } from "../support.ts";

describe("the rules of a mesh on its page", () => {
  it("are shown with their calls, the shares of their targets, their copies and their faults", async () => {
    const [old, next] = [
      await serve((_request, response) => response.end()),
      await serve((_request, response) => response.writeHead(503).end()),
    ];
    const mesh = meshOf(
      { old: old.port, next: next.port },
      {
        retry: false,
        random: () => 0.5,
        routes: [
          { name: "gone", match: { path: { exact: "/gone" } }, respond: { status: 410 } },
          { name: "copied", match: { path: { exact: "/copied" } }, to: "old", mirror: { service: "next", maxInFlight: 1 } },
          { name: "faulty", match: { path: { exact: "/faulty" } }, fault: { abort: { status: 503 } } },
          {
            name: "split",
            match: { service: "shop" },
            split: {
              targets: [
                { name: "before", service: "old", weight: 1 },
                { name: "after", service: "next", weight: 3 },
              ],
            },
          },
        ],
      },
    );
    const { url } = await adminOf(mesh);
    const read = async () => JSON.parse((await ask(`${url}api/mesh`)).text) as MeshSnapshot;
    expect((await read()).routes.map(({ name, callsPerMinute }) => [name, callsPerMinute])).toEqual([
      ["gone", 0],
      ["copied", 0],
      ["faulty", 0],
      ["split", 0],
    ]);
    for (const path of ["gone", "copied", "split", "split", "split"]) await (await mesh.fetch(`shop/${path}`)).text();
    await (await mesh.fetch("shop/faulty", { headers: { "x-mesh-fault": "1" } })).text();
    await until("the copy has ended", async () => (await read()).routes[1]?.copies === 1);
    const { routes, services } = await read();
    expect(routes).toMatchObject([
      {
        name: "gone",
        parts: ["respond"],
        callsPerMinute: 1,
        failures: 0,
        targets: [{ name: null, service: null, share: 1, callsPerMinute: 1 }],
      },
      { name: "copied", parts: ["to", "mirror"], copies: 1, copiesLeftOut: 0, targets: [{ name: null, service: "old" }] },
      { name: "faulty", faults: 1, failures: 1 },
      {
        name: "split",
        parts: ["split"],
        callsPerMinute: 3,
        failures: 3,
        targets: [
          { name: "before", service: "old", share: 0.25, callsPerMinute: 0 },
          { name: "after", service: "next", share: 0.75, callsPerMinute: 3 },
        ],
      },
    ]);
    // Calls count for the service that they went to.
    const lines = await runCli(["stat", "--routes", "--admin", url]);
    expect(lines).toMatchObject({ code: 0, stderr: "" });
    const cells = lines.stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.trim().split(/ {2,}/));
    expect(cells).toEqual([
      ["RULE", "TO", "SHARE", "CALLS/MIN", "FAILED", "COPIES", "LEFT OUT", "FAULTS"],
      ["gone", "answer", "100%", "1", "0", "0", "0", "0"],
      ["copied", "old", "100%", "1", "0", "1", "0", "0"],
      ["faulty", "the called service", "100%", "1", "1", "0", "0", "1"],
      ["split", "old", "25%", "0", "3", "0", "0", "0"],
      ["next", "75%", "3"],
    ]);
    expect(services.map(({ service }) => service)).toEqual(["next", "old"]);
    await until("the second is over", async () => (await read()).services.some(({ rps }) => rps > 0));
    expect((await read()).services.find(({ service }) => service === "next")?.success.effective).toBe(0);
    expect(JSON.parse((await runCli(["stat", "--routes", "-o", "json", "--admin", url])).stdout)).toHaveLength(4);
  });

  it("are named by the calls that failed by them", async () => {
    const failing = await serve((_request, response) => response.writeHead(503).end());
    const split = {
      targets: [
        { name: "after", service: "next", weight: 1 },
        { name: "before", service: "next", weight: 0 },
      ],
    };
    const routes = [{ name: "split", match: { path: { exact: "/split" } }, split }];
    const mesh = meshOf({ next: failing.port }, { retry: false, routes });
    const { url } = await adminOf(mesh);
    for (const path of ["split", "else"]) await (await mesh.fetch(`next/${path}`)).text();
    const { errors } = JSON.parse((await ask(`${url}api/services/next`)).text) as ServiceSnapshot;
    expect(errors).toMatchObject([
      { path: "/else", rule: null, target: null },
      { path: "/split", rule: "split", target: "after" },
    ]);
  });

  it("are none for a mesh without routes", async () => {
    const { url } = await adminOf(meshOf({}));
    expect(await runCli(["stat", "--routes", "--admin", url])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringContaining("no routes"),
    });
    expect(await runCli(["stat", "orders", "--routes", "--admin", url])).toMatchObject({ code: 2 });
  });

  it("forget those that are no more in force, and keep a bounded number until then", () => {
    const clock = virtualClock();
    const tallies = new RouteTallies(clock);
    const end = { status: 200, error: undefined, cancelled: false, attempts: 1, headMs: 1, totalMs: 1 };
    for (let rule = 0; rule < 2_000; rule++)
      tallies.ended({ rule: `r${rule}`, target: undefined, subset: undefined, options: undefined }, end);
    const reading = (name: string) => ({ name, parts: [], targets: [] });
    expect(tallies.rows([reading("r1"), reading("r1999")]).map(({ callsPerMinute }) => callsPerMinute)).toEqual([1, 0]);
    expect(tallies.rows([reading("r2")])[0]?.callsPerMinute).toBe(0);
  });
});
