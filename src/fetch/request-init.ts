import type { CallOptions } from "../core/dispatch.ts";
import type { HeadersInput } from "../core/http/request-headers.ts";
import type { BodyInput } from "./request-body.ts";

/** `RequestInit` as far as it means something between services, and what the mesh adds to it. */
export interface MeshRequestInit {
  readonly method?: string;
  readonly headers?: HeadersInput;
  readonly body?: BodyInput | null;
  readonly signal?: AbortSignal | null;
  /** `manual` (default): a redirect is a response like any other. `error`: it rejects. `follow`: within the service only. */
  readonly redirect?: "manual" | "error" | "follow";
  /** Must be `half` for a stream as body. */
  readonly duplex?: "half";
  /** What this call wants differently from the mesh's options. */
  readonly mesh?: CallOptions;
}

/** What a call can be made with: a target, or a standard URL or Request whose host is the service. */
export type FetchTarget<Declared extends string = string> = WithScheme<Targets<Declared>> | URL | Request;

/** The targets that a declared name stands for; a declared target (with a `/`) stands for itself. */
export type Targets<Declared extends string> = Declared extends `${string}/${string}`
  ? Declared
  : Declared | `${Declared}${"/" | "?"}${string}`;

/** A target as it is, or behind `mesh://`, `http://` or `https://`. */
export type WithScheme<Target extends string> = Target | `${"mesh" | "http" | "https"}://${Target}`;
