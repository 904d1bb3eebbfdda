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
      async (answer) => {
        if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
        snapshot = await RegistrySnapshot.read(answer.body, options, signal);
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
    throw failure("the registry", cause, call);
  }
}

/**
 * Fetches one application; `undefined` when the server does not know it, or does not know this call. Rejects like {@link fetchRegistry}.
 */
export async function fetchApplication(
  servers: Servers,
  app: string,
  options: EntryOptions,
  call: FencedCall,
): Promise<RegistrySnapshot | undefined> {
  const { signal, awaited } = call;
  try {
    return await servers.send(
      { method: "GET", path: encodeURIComponent(app), keepsProcess: awaited },
      async ({ status, body }) => {
        if (status === 404 || status === 405) return undefined;
        if (status !== 200) throw new Error(`answered ${status}`);
        return await RegistrySnapshot.read(body, options, signal);
      },
      signal,
    );
  } catch (cause) {
    throw failure(`the application ${app}`, cause, call);
  }
}

function failure(what: string, cause: unknown, { signal }: FencedCall): unknown {
  if (signal?.aborted) return signal.reason;
  return new MeshError("ERR_MESH_DISCOVERY", `eureka: could not fetch ${what}: ${describeError(cause)}`, { cause });
}
