import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parsePolicy, policyRecorder } from "../../src/server/server.ts";
import { runCli } from "../cli/run-cli.ts";
import { ask, guarded } from "../server/inbound/served.ts";

test("what a server has seen in a dry run becomes its policy: the same requests pass, others do not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "inmesh-recorded-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const recorder = policyRecorder();
  const { port } = await guarded({
    authorization: { policy: { dryRun: true, rules: [{ id: "seen", action: "audit" }] }, audit: recorder.audit },
  });
  const usual = [
    ...Array.from({ length: 12 }, (_, index) => ({ path: `/orders/${index}?page=1` })),
    { path: "/orders", method: "POST" },
    { path: "/health" },
  ];
  for (const each of usual) expect((await ask(port, each)).status).toBe(200);
  expect((await ask(port, { path: "/x/../admin" })).status).toBe(400);
  writeFileSync(join(folder, "seen.json"), JSON.stringify(recorder));
  const { code, stdout } = await runCli(["policy", "propose", join(folder, "seen.json")]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: recorder.propose() });

  const { port: strict } = await guarded({ authorization: { policy: parsePolicy(stdout) } });
  for (const each of [...usual, { path: "/orders/4711" }]) expect((await ask(strict, each)).status, each.path).toBe(200);
  for (const each of [{ path: "/orders" }, { path: "/orders/1", method: "DELETE" }, { path: "/orders/1/items" }, { path: "/admin" }])
    expect((await ask(strict, each)).status, each.path).toBe(403);
});
