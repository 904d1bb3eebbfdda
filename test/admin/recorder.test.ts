import { describe, expect, it } from "vitest";
import { Recorder } from "../../src/admin/recorder.ts";
import { createMesh, staticDiscovery } from "../../src/index.ts";
import { virtualClock } from "../../src/testing/index.ts";
import { closing } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";

describe("the recorder", () => {
  it("keeps nothing of a service that made room for another one", async () => {
    const { port } = await serve();
    const names = Array.from({ length: 30 }, (_, index) => `s${index}`);
    const mesh = closing(
      createMesh({
        discovery: staticDiscovery(Object.fromEntries(names.map((name) => [name, [{ host: "127.0.0.1", port }]]))),
        maxServices: 5,
        drainTimeoutMs: 0,
      }),
    );
    const recorder = new Recorder({ clock: virtualClock(), services: () => mesh.services(), onClose: () => {} });
    mesh.observe(recorder);
    const first = recorder.tally("s0");
    for (const name of names) await (await mesh.fetch(`${name}/1`)).text();
    expect(mesh.services()).toHaveLength(5);
    expect(recorder.size).toBeLessThanOrEqual(6);
    // It is counted anew when it comes back.
    await (await mesh.fetch("s0/1")).text();
    expect(recorder.tally("s0")).not.toBe(first);
    expect(recorder.reading?.services()).toHaveLength(5);
  });

  it("tells that the mesh has closed", async () => {
    let closed = 0;
    const mesh = createMesh({ discovery: staticDiscovery({}) });
    mesh.observe(new Recorder({ clock: virtualClock(), services: () => [], onClose: () => closed++ }));
    await mesh.close();
    expect(closed).toBe(1);
  });
});
