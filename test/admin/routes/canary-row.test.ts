import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { MeshSnapshot, ServiceSnapshot } from "../../../src/admin/admin.ts";
import { canaryRow } from "../../../src/admin/routes/canary-row.ts";
import { runCli, startCli } from "../../cli/run-cli.ts";
import { until } from "../../support/until.ts";
import { adminOf, ask } from "../support.ts";
import { meshWithCanaries } from "./canary-mesh.ts";

describe("the canaries of a mesh on its page", () => {
  it("are in the JSON with their steps and counts, and in the tables of inmesh stat, the worst first", async () => {
    const mesh = await meshWithCanaries();
    const { url } = await adminOf(mesh);
    const { canaries } = JSON.parse((await ask(`${url}api/mesh`)).text) as MeshSnapshot;
    expect(canaries).toMatchObject([
      { rule: "checkout", state: "rolled-back", share: 0, step: 1, steps: [50, 100], sharedBy: null, stateError: null },
      { rule: "prices", service: "stable", state: "stepping", share: 0.5, canary: { target: "v2", calls: 0, failures: 0 } },
    ]);
    expect(canaries[0]?.canary.failures).toBeGreaterThan(0);
    const { stdout } = await runCli(["stat", "--routes", "--admin", url]);
    const [titles, ...rows] = (stdout.split("\n\n")[1] ?? "")
      .trim()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
    expect(titles).toEqual(["CANARY", "SERVICE", "SHARE", "STEP", "PHASE", "EVIDENCE"]);
    expect(rows.map((row) => row.slice(0, 5))).toEqual([
      ["checkout", "next", "0%", "1/2", "rolled-back"],
      ["prices", "stable", "50%", "1/2", "stepping"],
    ]);
    expect(rows[0]?.[5]).toMatch(/^v2 (\d+) of \1 failed, v1 0 of \d+ failed: /);
    expect(rows[1]?.[5]).toMatch(/^v2 no call yet, v1 no call yet: /);
    // A program that reads the table of services finds nothing else in it.
    const plain = await runCli(["stat", "--admin", url]);
    expect(plain.stdout).not.toContain("checkout");
    expect(plain.stderr).toContain("canary of checkout rolled back: v2 ");
  });

  it("are shown by inmesh stat SERVICE and inmesh top for the service that they are of", async () => {
    const mesh = await meshWithCanaries();
    const { url } = await adminOf(mesh);
    const service = "next";
    const { canaries } = JSON.parse((await ask(`${url}api/services/${service}`)).text) as ServiceSnapshot;
    expect(canaries.map(({ rule }) => rule)).toEqual(["checkout"]);
    expect((await runCli(["stat", service, "--admin", url])).stdout).toMatch(/\n\nCANARY .*\ncheckout .*rolled-back/);
    const top = await topOf([], url);
    expect(top).toMatch(/CANARY +SERVICE +SHARE +STEP +PHASE +EVIDENCE/);
    expect(top).toContain("canary of checkout rolled back");
    expect(await topOf([service], url)).toMatch(/checkout +\S+ +0% +1\/2 +rolled-back +v2 /);
  });

  it("are plain data without the secrets that an error of a shared state may have", () => {
    const target = { target: "v1", calls: 1, failures: 0 };
    const row = canaryRow({
      service: "",
      rule: "checkout",
      state: "holding",
      why: "held",
      sinceMs: 1,
      step: 1,
      steps: [5],
      share: 0.05,
      stable: target,
      canary: target,
      sharedBy: "consul at http://user:canary@127.0.0.1",
      processes: 2,
      stateError: "GET /v1/kv/x?token=canary failed",
    });
    expect(row).toMatchObject({ service: null, sharedBy: "consul at http://…@127.0.0.1", stateError: "GET /v1/kv/x?… failed" });
  });
});

/** A picture of `inmesh top`. */
async function topOf(args: readonly string[], url: string): Promise<string> {
  const ending = new AbortController();
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} });
  const top = startCli(["top", ...args, "--admin", url], {
    isTerminal: true,
    stdin,
    columns: 200,
    env: { NO_COLOR: "1" },
    signal: ending.signal,
  });
  await until("a picture", () => top.stdout().includes("\u001b[J"));
  stdin.write("q");
  await top.ended;
  return top.stdout().replaceAll("\u001b[K", "");
}
