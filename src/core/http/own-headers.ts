/**
 * Headers of requests between the mesh and an instance: those of a caller are dropped, which may have been copied from the request that it is
 * answering.
 */
export const requestHeadersOfTheMesh: ReadonlySet<string> = new Set([
  "x-mesh-attempt",
  "x-mesh-caller",
  "x-mesh-deadline-ms",
  "x-mesh-instance",
  "x-mesh-refused",
]);

/**
 * By this header of a 503, an instance says that it did not process the request. It ends at the mesh: a gateway that handed it on would say of itself
 * what the instance behind it has said.
 */
export const refusedHeader = "x-mesh-refused";

/**
 * The mesh that a request comes from: a random text that names one mesh of one process. An instance that leaves knows by it which callers it still has.
 */
export const callerHeader = "x-mesh-caller";

/**
 * Behind the name of the mesh in {@link callerHeader}: the request came through a client that sends it once, and nothing repeats it elsewhere. What such a
 * mesh sends to a server that has gone is lost, so the end of its connections does not say that it sends nothing more.
 */
export const onceMark = ";once";

/**
 * By this header, an instance with `inmesh/server` names itself to a mesh, and says that it leaves: `orders-1,10.0.0.7:8080` and
 * `orders-1,10.0.0.7:8080;leaving=4000`. It ends at the mesh, which takes it from the instance of that name or address alone, so that one
 * which something on the way has handed on says nothing.
 */
export const instanceHeader = "x-mesh-instance";

/** Asks the instance to forget this mesh as a caller: it has let go of the instance. */
export const letGoPath = "/.inmesh/let-go";

/** Headers of a response that end at the mesh. */
export function isResponseHeaderOfTheMesh(name: string): boolean {
  return name === refusedHeader || name === instanceHeader;
}
