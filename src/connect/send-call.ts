import type { Cancellation } from "../core/cancellation.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { MeshDoor } from "../core/stages/mesh-door.ts";

/** Ties the cancellation of a call to the signal of its caller. Returns the function that unties it. */
export function tie(cancellation: Cancellation, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    cancellation.cancel(signal.reason);
    return () => {};
  }
  const abort = (): void => cancellation.cancel(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}

/** Sends a call through a mesh. */
export function send(door: MeshDoor, request: MeshRequest): Promise<MeshResponse> {
  return new Promise((resolve, reject) => door.send(request, { answered: resolve, failed: reject }));
}
