import { tagOf } from "./brands.ts";
import type { BodyInput } from "./request-body.ts";
import type { MeshRequestInit } from "./request-init.ts";

/**
 * The fields of a `Request` of any class, with those of `init` over them. An `undefined` field of an init counts as absent, as in the standard;
 * `null` removes the signal of the Request.
 * @throws TypeError for another value, and for a Request whose body has been read.
 */
export function requestInit(request: Request, init: MeshRequestInit): MeshRequestInit {
  if (typeof request !== "object" || request === null || typeof request.url !== "string")
    throw new TypeError(`target: a value of the class ${tagOf(request)} is neither a string, a URL nor a Request`);
  const own = init.body ?? undefined;
  if (own === undefined && request.bodyUsed) throw new TypeError("the body of the Request has been read already");
  const method = init.method ?? request.method;
  const duplex = own === undefined ? "half" : init.duplex;
  const redirect = init.redirect ?? request.redirect;
  return {
    method,
    headers: init.headers ?? (request.headers as unknown as Iterable<readonly string[]>),
    body: own ?? bodyOf(request, method),
    ...(duplex === undefined ? undefined : { duplex }),
    signal: init.signal === undefined ? request.signal : init.signal,
    ...(redirect === undefined ? undefined : { redirect }),
    ...(init.mesh === undefined ? undefined : { mesh: init.mesh }),
  };
}

function bodyOf(request: Request, method: string): BodyInput | null {
  const body = request.body as BodyInput | null | undefined;
  if (body !== undefined) return body;
  // A class without streams gives its body as a whole only.
  if (method === "GET" || method === "HEAD" || typeof request.arrayBuffer !== "function") return null;
  return {
    async *[Symbol.asyncIterator]() {
      yield new Uint8Array(await request.arrayBuffer());
    },
  };
}
