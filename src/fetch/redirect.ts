import { Buffer } from "node:buffer";
import { Cancellation } from "../core/cancellation.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { afterAnswer, MeshError } from "../core/errors.ts";
import { isReplayable } from "../core/http/body.ts";
import { headerOf } from "../core/http/response-headers.ts";
import { shownUrl } from "./shown-url.ts";

/** The response at the end of a chain of redirects, and the request that it answers. */
export interface Followed {
  readonly request: MeshRequest;
  readonly response: MeshResponse;
  readonly redirected: boolean;
}

/** As in the Fetch standard. */
const maxRedirects = 20;
/** Headers that describe a body: dropped where a redirect drops the body. */
const aboutTheBody = ["content-type", "content-length", "content-encoding", "content-language", "content-location"];

/** Whether the status is a redirect (Fetch standard, "redirect status"). */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * Follows redirects as the Fetch standard does, but only within the service: to another path, to the service by name, and to the instance
 * that answered. Any other redirect is refused with `ERR_MESH_PROTOCOL`: it would send the caller's credentials, and maybe its body, to a
 * server of the instance's choice. `remainingMs` is the time limit of the next hop. With `mayStay` a redirect that cannot be followed is the response.
 */
export async function followRedirects(
  first: MeshRequest,
  answer: MeshResponse,
  send: Dispatch,
  remainingMs: () => number | false,
  mayStay = false,
): Promise<Followed> {
  let request = first;
  let response = answer;
  for (let count = 0; isRedirect(response.status); count++) {
    const location = headerOf(response, "location");
    if (location === undefined) break;
    const place = placeWithin(request, response, location);
    if (mayStay && (place === undefined || redirected(request, response.status, place) === undefined)) break;
    response.body.discard();
    if (place === undefined) throw refused(request, `leads out of the service, to ${shownUrl(location)}`);
    if (count >= maxRedirects) throw refused(request, `is the ${maxRedirects + 1}st in a row`);
    const next = redirected(request, response.status, place);
    if (next === undefined) throw refused(request, "would need the body again, which was a stream");
    // With a cancellation of its own: the deadline of the hop before runs until the rest of its body has been dropped.
    request = {
      ...next,
      cancellation: new Cancellation(),
      tried: [],
      attempts: [],
      options: { ...next.options, timeoutMs: remainingMs() },
    };
    // The hop before was answered: the call may have been executed, whatever has become of this one.
    response = await send(request).catch((error: unknown) => {
      throw afterAnswer(error);
    });
  }
  return { request, response, redirected: request !== first };
}

/** A place within the service that a redirect leads to. */
interface Place {
  readonly path: string;
  /** Whether it is reached over TLS only: no redirect takes that demand away, and one to `https:` makes it. */
  readonly requiresTls: boolean;
}

/** The place of a `location` within the service; `undefined` for one that leads out of it. */
function placeWithin(request: MeshRequest, response: MeshResponse, location: string): Place | undefined {
  // A reserved host as base: only relative references keep it.
  const base = "http://within.invalid";
  const url = urlOf(location, base + request.path);
  if (url === undefined) return undefined;
  const isService = url.host.toLowerCase() === request.service.toLowerCase() && /^(https?|mesh):$/.test(url.protocol);
  if (url.origin !== base && !isService && !isOfInstance(url, response)) return undefined;
  const path = (url.pathname || "/") + url.search;
  // The parser leaves backslashes in the paths of schemes that it does not know.
  if (!path.startsWith("/") || path.includes("\\")) return undefined;
  return { path, requiresTls: request.requiresTls || url.protocol === "https:" };
}

/** The URL of a `location`; `undefined` for one with user information, and for what is no URL. */
function urlOf(location: string, base: string): URL | undefined {
  // Header values are decoded as Latin-1; characters beyond ASCII are unencoded UTF-8.
  const url = URL.parse(Buffer.from(location, "latin1").toString("utf8"), base) ?? undefined;
  return url?.username === "" && url.password === "" ? url : undefined;
}

/** Whether a URL names the instance that answered: by its address, or by the name that requests give it. */
function isOfInstance(url: URL, { upstream }: Pick<MeshResponse, "upstream">): boolean {
  if (upstream === undefined) return false;
  // All are parsed, since the parser drops the default port of a scheme.
  if (url.origin === URL.parse(upstream.origin)?.origin) return true;
  return upstream.peerName !== undefined && /^https?:$/.test(url.protocol) && url.hostname === upstream.peerName.toLowerCase();
}

/** A response, as far as a redirect is looked for in it. */
type Redirecting = Pick<MeshResponse, "status" | "headers" | "upstream">;

/**
 * The `location` of a response for a client that follows redirects itself and knows the service only: where it names the instance that answered, the
 * same at `origin`, as the service was called; else `undefined`.
 */
export function serviceLocation(response: Redirecting, origin: string): string | undefined {
  if (!isRedirect(response.status)) return undefined;
  const location = headerOf({ headers: response.headers }, "location");
  const url = location === undefined ? undefined : urlOf(location, "http://within.invalid");
  return url !== undefined && isOfInstance(url, response) ? `${origin}${url.pathname}${url.search}${url.hash}` : undefined;
}

/** The headers of a response with its {@link serviceLocation}. Returns the same lines where it has none. */
export function withServiceLocation(response: Redirecting, origin: string): readonly string[] {
  const location = serviceLocation(response, origin);
  if (location === undefined) return response.headers;
  const index = response.headers.findIndex((part, at) => at % 2 === 0 && part === "location");
  return response.headers.with(index + 1, location);
}

function redirected(request: MeshRequest, status: number, place: Place): MeshRequest | undefined {
  const { method } = request;
  const becomesGet = status === 303 ? method !== "GET" && method !== "HEAD" : (status === 301 || status === 302) && method === "POST";
  if (!becomesGet) return isReplayable(request.body) ? { ...request, ...place } : undefined;
  const headers = Object.assign(Object.create(null), request.headers);
  for (const name of aboutTheBody) delete headers[name];
  return { ...request, ...place, method: "GET", body: undefined, headers };
}

function refused({ service, attempts }: MeshRequest, why: string): MeshError {
  return new MeshError("ERR_MESH_PROTOCOL", `a redirect of "${service}" ${why}`, { service, attempts: [...attempts], maybeExecuted: true });
}
