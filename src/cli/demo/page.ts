import { admin } from "../../admin/admin.ts";
import type { Mesh } from "../../index.ts";

/** Serves the live page on the wanted port, or on the usual one if that is free, until the mesh is closed. Resolves with its address. */
export async function openPage(mesh: Mesh, port: number | undefined): Promise<string> {
  if (port !== undefined) return (await admin(mesh, { port })).url;
  // The usual port may be taken: by another demo, most likely.
  const { url } = await admin(mesh).catch(() => admin(mesh, { port: 0 }));
  return url;
}
