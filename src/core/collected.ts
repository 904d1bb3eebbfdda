import { MeshError } from "./errors.ts";

/** The error of a body that is larger than what may be collected of it. It has no attempts: the instance has done nothing wrong. */
export function tooLargeToCollect(service: string, maxBytes: number | false): MeshError {
  const message = `the response of "${service}" is larger than ${maxBytes} bytes, which is the most that is collected (maxCollectedBytes): read it as a stream, or raise the limit`;
  return new MeshError("ERR_MESH_BODY", message, { service, maybeExecuted: true });
}
