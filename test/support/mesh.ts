import { onTestFinished } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";

/** A mesh over instances on these ports of the loopback, closed at the end of the test. */
export function meshOf(services: Readonly<Record<string, number | readonly number[]>>, options: Partial<MeshOptions> = {}): Mesh {
  const list = Object.entries(services).map(([name, ports]) => [name, [ports].flat().map((port) => ({ host: "127.0.0.1", port }))]);
  return closing(createMesh({ discovery: staticDiscovery(Object.fromEntries(list)), drainTimeoutMs: 0, ...options }));
}

/** Closes `mesh` at the end of the test. */
export function closing(mesh: Mesh): Mesh {
  onTestFinished(() => mesh.close());
  return mesh;
}
