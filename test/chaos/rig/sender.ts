import type { Discovery, Observer } from "../../../src/extend.ts";
import {
  continueFrom,
  createMesh,
  dns,
  fileIdentity,
  isMeshError,
  type Mesh,
  roundRobin,
  staticDiscovery,
  weighted,
} from "../../../src/index.ts";
import { consul } from "../../../src/registries/consul.ts";
import { eureka } from "../../../src/registries/eureka.ts";
import type { ClientConfig, DiscoveryConfig } from "./client-config.ts";
import { bodyFor, uploadFor } from "./payload.ts";
import type { LedgerEntry } from "./records.ts";

/** What can be known of a request that has been answered, or has failed. */
export type Settled = Pick<LedgerEntry, "status" | "echoed" | "isWhole" | "error" | "message" | "maybeExecuted" | "phase" | "isAborted">;

/** Sends one request; never rejects. */
export type Send = (id: string, method: string, signal: AbortSignal | undefined) => Promise<Settled>;

export function discoveryOf(config: DiscoveryConfig): Discovery {
  switch (config.kind) {
    case "static":
      return staticDiscovery({ shop: config.endpoints });
    case "consul":
      return consul(config.options);
    case "eureka":
      return eureka(config.options);
    case "dns":
      return dns(config.options);
  }
}

export function meshOf({ discovery, mesh, picker, identity }: ClientConfig, observers: readonly Observer[]): Mesh {
  const chosen = picker === undefined ? {} : { picker: picker === "weighted" ? weighted() : roundRobin() };
  return createMesh({
    discovery: discoveryOf(discovery),
    observers,
    ...chosen,
    ...mesh,
    ...(identity === undefined ? {} : { identity: fileIdentity(identity) }),
  });
}

/** Through the mesh. */
export function meshSender(mesh: Mesh, { hurriedEvery = 0, uploadBytes = 0 }: Partial<ClientConfig> = {}): Send {
  let number = 0;
  const inTime = (send: () => Promise<Settled>): Promise<Settled> => {
    if (hurriedEvery === 0 || ++number % hurriedEvery !== 0) return send();
    return continueFrom({ "x-mesh-deadline-ms": "2" }, send);
  };
  return (id, method, signal) =>
    inTime(async () => {
      try {
        const body = method === "GET" ? undefined : uploadFor(id, uploadBytes);
        const response = await mesh.fetch(`shop/items/${id}`, {
          method,
          headers: { "x-id": id, ...(uploadBytes === 0 ? {} : { "x-upload-bytes": `${uploadBytes}` }) },
          ...(body === undefined ? {} : { body }),
          ...(signal === undefined ? {} : { signal }),
        });
        return await settledBy(id, response);
      } catch (error) {
        if (signal?.aborted === true && !isMeshError(error)) return { isAborted: true };
        if (!isMeshError(error)) return { error: "NOT_A_MESH_ERROR", message: String(error) };
        const { code, maybeExecuted, attempts } = error;
        const phase = attempts.at(-1)?.phase;
        return {
          error: code,
          maybeExecuted,
          message: error.message,
          ...(phase === undefined ? {} : { phase }),
        };
      }
    });
}

/** The same, with so many calls beside each to services that do not exist. */
export function inventingSender(mesh: Mesh, send: Send, perCall = 0): Send {
  let number = 0;
  return (...request) => {
    for (let each = 0; each < perCall; each++) mesh.fetch(`invented-${++number}/items`).catch(() => {});
    return send(...request);
  };
}

/** Reads a response to its end. */
export async function settledBy(id: string, response: Response): Promise<Settled> {
  const text = await response.text();
  const echoed = response.headers.get("x-id");
  return {
    status: response.status,
    ...(echoed === null ? {} : { echoed }),
    ...(response.status === 200 ? { isWhole: text === bodyFor(id) } : {}),
  };
}
