/**
 * Headers of requests between the mesh and an instance: those of a caller are dropped, which may have been copied from the request that it is
 * answering.
 */
export const requestHeadersOfTheMesh: ReadonlySet<string> = new Set(["x-mesh-attempt", "x-mesh-deadline-ms", "x-mesh-refused"]);

/**
 * By this header of a 503, an instance says that it did not process the request. It ends at the mesh: a gateway that handed it on would say of itself
 * what the instance behind it has said.
 */
export const refusedHeader = "x-mesh-refused";
