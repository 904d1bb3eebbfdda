import { admin } from "../../admin/admin.ts";
import type { Mesh } from "../../index.ts";

/**
 * Serves the live page until the mesh is closed, on the given port or else on the default one, or on a free port when that is in use.
 * Resolves with its address.
 */
export async function openPage(mesh: Mesh, port: number | undefined): Promise<string> {
  if (port !== undefined) return (await admin(mesh, { port })).url;
  // The default port is most likely in use by another demo.
  const { url } = await admin(mesh).catch(() => admin(mesh, { port: 0 }));
  return url;
}
