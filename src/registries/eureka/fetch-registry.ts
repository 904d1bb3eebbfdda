import { describeError, MeshError } from "../../core/errors.ts";
import type { EntryOptions } from "./entry.ts";
import { type FencedCall, fencedClient } from "./fenced-client.ts";
import type { PackageClass } from "./package.ts";
import { RegistrySnapshot } from "./registry-snapshot.ts";
import type { Servers } from "./servers.ts";

/**
 * Fetches the whole registry, from the next server when one answers with an error or with anything that is no registry. Rejects with
 * `ERR_MESH_DISCOVERY`, or with the signal's reason.
 */
export async function fetchRegistry(
  Package: PackageClass,
  servers: Servers,
  options: EntryOptions,
  call: FencedCall,
): Promise<RegistrySnapshot> {
  let snapshot: RegistrySnapshot | undefined;
  const client = fencedClient(Package, (request, signal) =>
    servers.send(
      request,
      (answer) => {
        if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
        snapshot = new RegistrySnapshot(answer.text, options);
        return answer;
      },
      signal,
    ),
  );
  try {
    await client.fetchRegistry(call);
    if (snapshot === undefined) throw new Error("no answer was read");
    return snapshot;
  } catch (cause) {
    if (call.signal?.aborted) throw call.signal.reason;
    throw new MeshError("ERR_MESH_DISCOVERY", `eureka: could not fetch the registry: ${describeError(cause)}`, { cause });
  }
}
