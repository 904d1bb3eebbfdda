import type { CallOptions } from "../core/dispatch.ts";
import type { HeadersInput } from "../core/http/request-headers.ts";
import type { BodyInput } from "./request-body.ts";

/** The part of `RequestInit` that applies between services, and the options of the mesh for one call. */
export interface MeshRequestInit {
  readonly method?: string;
  readonly headers?: HeadersInput;
  readonly body?: BodyInput | null;
  readonly signal?: AbortSignal | null;
  /** `manual` (default): a redirect is a response like any other. `error`: it rejects. `follow`: within the service only. */
  readonly redirect?: "manual" | "error" | "follow";
  /** Must be `half` where the body is a stream. */
  readonly duplex?: "half";
  /** Options of this call, in the place of those of the mesh. */
  readonly mesh?: CallOptions;
}

/** The first argument of a call: a target, or a standard URL or Request whose host is the service. */
export type FetchTarget<Declared extends string = string> = WithScheme<Targets<Declared>> | URL | Request;

/** The targets of a declared name; a declared target (with a `/`) is the only one of its own. */
export type Targets<Declared extends string> = Declared extends `${string}/${string}`
  ? Declared
  : Declared | `${Declared}${"/" | "?"}${string}`;

/** A target as it is, or behind `mesh://`, `http://` or `https://`. */
export type WithScheme<Target extends string> = Target | `${"mesh" | "http" | "https"}://${Target}`;
