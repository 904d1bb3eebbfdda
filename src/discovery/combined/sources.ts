import { describeError, MeshError } from "../../core/errors.ts";
import { type Discovery, type EmptyPolicy, nameOf } from "../discovery.ts";

/** `trust` only where every source has it. */
export function emptyPolicyOf(sources: readonly Discovery[]): EmptyPolicy {
  return sources.every(({ emptyPolicy }) => emptyPolicy === "trust") ? "trust" : "quarantine";
}

/** Sources of which any may name Unix sockets. The entries of each were checked by its own right. */
export function socketPathsOf(sources: readonly Discovery[]): Pick<Discovery, "allowSocketPaths"> {
  return sources.some(({ allowSocketPaths }) => allowSocketPaths === true) ? { allowSocketPaths: true } : {};
}

/** Closes every source, also when closing one fails; rejects with the errors then. */
export async function closeAll(sources: readonly Discovery[]): Promise<void> {
  const results = await Promise.allSettled(sources.map(async (source) => source.close?.()));
  const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, "several discovery sources could not be closed");
}

/** The `ERR_MESH_DISCOVERY` for a service of which every source has failed. */
export function allFailed(service: string, failures: readonly { readonly discovery: Discovery; readonly error: unknown }[]): MeshError {
  const reasons = failures.map(({ discovery, error }) => `${nameOf(discovery)}: ${describeError(error)}`).join("; ");
  const cause = new AggregateError(
    failures.map(({ error }) => error),
    reasons,
  );
  return new MeshError("ERR_MESH_DISCOVERY", `every discovery source of ${service} failed: ${reasons}`, { service, cause });
}

/** Throws a `TypeError` that begins with `where` unless `value` has a `watch` method. */
export function requireDiscovery(value: unknown, where: string): asserts value is Discovery {
  if (typeof (value as Discovery | null | undefined)?.watch === "function") return;
  throw new TypeError(`${where} must be a discovery, an object with a watch() method; got ${typeof value}`);
}
