import { describeError, MeshError } from "../../core/errors.ts";
import type { Discovery, EmptyPolicy } from "../discovery.ts";

/** `consul at …`, or what an adapter without a name is called. */
export function nameOf(discovery: Discovery): string {
  return discovery.name ?? "unnamed discovery";
}

/** Emptiness is certain only where each of the sources is certain of it. */
export function emptyPolicyOf(sources: readonly Discovery[]): EmptyPolicy {
  return sources.every(({ emptyPolicy }) => emptyPolicy === "trust") ? "trust" : "quarantine";
}

/** Closes all of them, also when closing one fails. */
export async function closeAll(sources: readonly Discovery[]): Promise<void> {
  const results = await Promise.allSettled(sources.map(async (source) => source.close?.()));
  const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, "several discovery sources could not be closed");
}

/** What is thrown when every one of several sources has failed. */
export function allFailed(service: string, failures: readonly { readonly discovery: Discovery; readonly error: unknown }[]): MeshError {
  const reasons = failures.map(({ discovery, error }) => `${nameOf(discovery)}: ${describeError(error)}`).join("; ");
  const cause = new AggregateError(
    failures.map(({ error }) => error),
    reasons,
  );
  return new MeshError("ERR_MESH_DISCOVERY", `every discovery source of ${service} failed: ${reasons}`, { service, cause });
}

/** Refuses what is no discovery while it can still be seen who passed it. */
export function requireDiscovery(value: unknown, where: string): asserts value is Discovery {
  if (typeof (value as Discovery | null | undefined)?.watch === "function") return;
  throw new TypeError(`${where} must be a discovery, an object with a watch() method; got ${typeof value}`);
}
