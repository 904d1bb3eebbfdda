import type { ServedMesh } from "./serve-options.ts";

/** How many servers of this process still need each mesh. */
const users = new WeakMap<ServedMesh, number>();

/** A server needs the mesh until the function that is returned is called: that of the last server closes the mesh. */
export function useMesh(mesh: ServedMesh): () => Promise<void> {
  users.set(mesh, (users.get(mesh) ?? 0) + 1);
  return async () => {
    const left = (users.get(mesh) ?? 1) - 1;
    users.set(mesh, left);
    if (left === 0) await mesh.close();
  };
}
