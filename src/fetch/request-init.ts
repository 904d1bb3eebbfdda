import type { CallOptions } from "../core/dispatch.ts";
import type { HeadersInput } from "../core/http/request-headers.ts";
import type { BodyInput } from "./request-body.ts";

/** The second argument of `mesh.fetch` and `mesh.request`: the fields of `RequestInit` with a meaning between services, and `mesh`. */
export interface MeshRequestInit {
  /** The method; the standard ones in any case. @default "GET" */
  readonly method?: string | undefined;
  /** Headers of the request. Those of the connection and its framing, such as `host` and `content-length`, are set by the mesh. */
  readonly headers?: HeadersInput | undefined;
  /**
   * The body; not with GET and HEAD. A stream can be sent again only while nothing of it was read; a function makes a stream for each
   * attempt.
   */
  readonly body?: BodyInput | null | undefined;
  /** Aborts the call, and the reading of its body: both reject with the reason of the signal. */
  readonly signal?: AbortSignal | null | undefined;
  /**
   * `manual`: a redirect is a response like any other. `error`: the call rejects with `ERR_MESH_PROTOCOL`. `follow`: redirects within the
   * service are followed, all others rejected. @default "manual"
   */
  readonly redirect?: "manual" | "error" | "follow" | undefined;
  /** Must be `half` for a stream as body, as in the Fetch standard. */
  readonly duplex?: "half" | undefined;
  /** Options of this call, which take precedence over those of the mesh. */
  readonly mesh?: CallOptions | undefined;
}

/** The target of a call: `service/path`, or a `URL` or `Request` whose host is the service. */
export type FetchTarget<Declared extends string = string> = WithScheme<Targets<Declared>> | URL | Request;

/**
 * The targets of a declared service: its name, alone or before a path or query. A declared target, which contains a `/`, is its only one.
 */
export type Targets<Declared extends string> = Declared extends `${string}/${string}`
  ? Declared
  : Declared | `${Declared}${"/" | "?"}${string}`;

/** A target, alone or after `mesh://`, `http://` or `https://`. */
export type WithScheme<Target extends string> = Target | `${"mesh" | "http" | "https"}://${Target}`;
