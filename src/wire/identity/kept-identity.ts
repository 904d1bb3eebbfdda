import type { SecureVersion } from "node:tls";
import { parseSpiffeId } from "../../core/peers/spiffe-id.ts";
import { parseSpiffeIdForm } from "../../core/peers/spiffe-id-form.ts";
import type { Identity } from "../../identity/identity.ts";
import { shownCertificates } from "../../identity/shown-certificates.ts";
import type { ExpectedPeer } from "../../identity/verify-peer.ts";
import type { ClientIdentity } from "./client-identity.ts";
import { faultOf } from "./peer-fault.ts";

/** How the identity of a mesh is used on connections. */
export interface KeptIdentityOptions {
  readonly minVersion: SecureVersion;
  /** The longest time for which connections of an earlier identity are used, in milliseconds. */
  readonly graceMs: number;
}

/** Connections of an earlier certificate are used for this part of its lifetime at most. */
const graceOfLifetime = 0.1;

/** The identity that a keeper holds, for the connections of a mesh. Each peer is judged on each connection: no session is resumed. */
export function keptIdentity(identity: Identity, { minVersion, graceMs }: KeptIdentityOptions): ClientIdentity {
  return {
    get version() {
      return identity.version;
    },
    serverName: undefined,
    secureContext: (expected) => identity.secureContext({ minVersion, trustDomain: domainOf(expected) }),
    fault: (socket, expected) =>
      faultOf(() => {
        const { leaf, shown } = shownCertificates(socket);
        identity.verifyPeer(leaf, shown, expected);
      }),
    changes: {
      get isPending() {
        return identity.state === "pending";
      },
      get isReady() {
        return identity.state === "ready";
      },
      get graceMs() {
        return Math.min(graceMs, identity.lifetimeMs * graceOfLifetime);
      },
      close: () => identity.close(),
      whenSettled: (limitMs, settled) => identity.whenSettled(limitMs, settled),
      follow: (listener) => {
        let { version } = identity;
        return identity.follow((change) => {
          if (change.version === version) return;
          version = change.version;
          listener();
        });
      },
    },
  };
}

/** The trust domain of all ids; `undefined` where there are none, or several domains. */
function domainOf({ ids, listedId }: ExpectedPeer = {}): string | undefined {
  if (ids === undefined) return listedId === undefined ? undefined : parseSpiffeIdForm(listedId)?.trustDomain;
  const [domain, ...others] = new Set(ids.map((id) => parseSpiffeId(id)?.trustDomain));
  return others.length === 0 ? domain : undefined;
}
