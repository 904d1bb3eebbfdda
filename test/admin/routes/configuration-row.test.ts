import { describe, expect, it } from "vitest";
import type { MeshSnapshot } from "../../../src/admin/admin.ts";
import { configurationRow } from "../../../src/admin/routes/configuration-row.ts";
import { runCli } from "../../cli/run-cli.ts";
import { meshOf } from "../../support/mesh.ts";
import { adminOf, ask } from "../support.ts";

describe("the configuration of a mesh on its page", () => {
  it("says where it came from and since when, and the last one that was refused until a good one comes from there", async () => {
    const mesh = meshOf({});
    const { url } = await adminOf(mesh);
    const read = async () => (JSON.parse((await ask(`${url}api/mesh`)).text) as MeshSnapshot).configuration;
    expect(await read()).toMatchObject({ source: "createMesh", restart: [], refusal: null });
    expect(() => mesh.reconfigure({ timeoutMs: -1 })).toThrow("timeoutMs");
    expect(await read()).toMatchObject({
      source: "createMesh",
      refusal: { source: "mesh.reconfigure", error: expect.stringContaining("timeoutMs") },
    });
    const { stdout } = await runCli(["stat", "--admin", url], { isTerminal: true, env: { NO_COLOR: "1" } });
    expect(stdout).toContain("configuration refused");
    mesh.reconfigure({ timeoutMs: 5_000 });
    const after = await read();
    expect(after).toMatchObject({ source: "mesh.reconfigure", refusal: null });
    expect(Math.abs((after?.sinceMs ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it("is none for a double of a mesh, and shows no secret of its sources", () => {
    expect(configurationRow(undefined)).toBeNull();
    const refusal = { source: "consul at http://me:canary@127.0.0.1", error: "GET /kv?token=canary failed", atMs: 2 };
    expect(JSON.stringify(configurationRow({ source: "a", sinceMs: 1, ageMs: 0, restart: [], refusal }))).not.toContain("canary");
  });
});
