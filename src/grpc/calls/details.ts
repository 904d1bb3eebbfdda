import type { AttemptRecord } from "../../core/errors.ts";

/** A call that has failed, as the mesh knows it. */
export interface GrpcDetails {
  readonly service: string;
  /** The address of the instance that was asked last; `undefined` where none was. */
  readonly instance: string | undefined;
  /** `false`: certainly no instance has executed the call, so that repeating it is safe. `true`: an instance may have executed it. */
  readonly maybeExecuted: boolean;
  /** The attempts of the call, in their order. */
  readonly attempts: readonly AttemptRecord[];
}

/** By the metadata of a status, which goes unchanged into the error that a client makes of it. */
const known = new WeakMap<object, GrpcDetails>();

/** Keeps the details of a status for {@link grpcDetails}. */
export function keepDetails(metadata: object, details: GrpcDetails): void {
  known.set(metadata, details);
}

/**
 * The details of the error of a call through a mesh, or of its status; `undefined` for every other value, and for a call that has succeeded. They are found by the
 * `metadata` of the error, so an interceptor that makes metadata of its own takes them away.
 */
export function grpcDetails(error: unknown): GrpcDetails | undefined {
  const metadata = typeof error === "object" && error !== null ? (error as { readonly metadata?: unknown }).metadata : undefined;
  return typeof metadata === "object" && metadata !== null ? known.get(metadata) : undefined;
}
