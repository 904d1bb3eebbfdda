import type { Packages } from "./packages.ts";

/** The secrets that are asked for, and the name of this process. */
export interface WantedSecrets {
  readonly names: readonly string[];
  readonly nodeId: string;
}

/** A response of a server of secrets, in either dialect. */
export interface SecretResponse {
  readonly nonce: string;
  /** Empty in the dialect that has none for the whole. */
  readonly version: string;
  /** The secrets that it has, as discovery packs them. */
  readonly packed: readonly { readonly name: string | undefined; readonly typeUrl: string; readonly value: Uint8Array }[];
  /** The names of those that the server has no longer, or never had. */
  readonly removed: readonly string[];
}

/** One of the two ways in which servers of secrets are spoken to. */
export interface SecretDialect {
  readonly path: string;
  /** The first request of a stream. */
  first(wanted: WantedSecrets): Buffer;
  /** @throws Error for bytes that are no response. */
  read(bytes: Uint8Array): SecretResponse;
  /** The answer to a response: taken, or refused for a reason. `version` is the one that is in use then. */
  answer(wanted: WantedSecrets, nonce: string, version: string, refusal: string | undefined): Buffer;
}

type Protocol = Packages["protocol"];

/**
 * State of the world: each response has all that has changed whole. The first request names no version, although one may be in use: a server that has nothing
 * newer would not answer, and would seem dead.
 */
export function stateOfTheWorld(protocol: Protocol): SecretDialect {
  return {
    path: protocol.paths.secrets,
    first: (wanted) => protocol.writeSecretRequest({ ...wanted, version: "", nonce: "", refusal: undefined }),
    read(bytes) {
      const { nonce, versionInfo, resources } = protocol.readDiscovery(bytes);
      const packed = resources.map(({ typeUrl, value }) => ({ name: undefined, typeUrl, value }));
      return { nonce, version: versionInfo, packed, removed: [] };
    },
    answer: (wanted, nonce, version, refusal) => protocol.writeSecretRequest({ ...wanted, version, nonce, refusal }),
  };
}

/** Changes: each response has the secrets that have changed, and the names of those that are gone. */
export function changesOnly(protocol: Protocol): SecretDialect {
  return {
    path: protocol.paths.secretChanges,
    first: (wanted) => protocol.writeSecretChangesRequest({ ...wanted, nonce: "", refusal: undefined }),
    read(bytes) {
      const { nonce, resources, removedResources } = protocol.readChanges(bytes);
      const packed = resources.map(({ name, resource }) => ({
        name,
        typeUrl: resource?.typeUrl ?? "",
        value: resource?.value ?? new Uint8Array(),
      }));
      return { nonce, version: "", packed, removed: removedResources };
    },
    answer: (wanted, nonce, _version, refusal) => protocol.writeSecretChangesRequest({ ...wanted, nonce, refusal }),
  };
}
