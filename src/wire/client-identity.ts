import type { SecureContext } from "node:tls";
import { secureContextOf, type TlsOptions } from "./tls.ts";

/**
 * How this process presents itself to instances that speak TLS, and which authorities it trusts. It may change while the mesh runs:
 * pools, agents and health checks ask for it at each connection, and keep connections of different versions apart.
 */
export interface ClientIdentity {
  /** Another number after each change. */
  readonly version: number;
  /** The certificate and the authorities of this version; `undefined`: no certificate, and Node's authorities. */
  secureContext(): SecureContext | undefined;
  /** The name that the certificates of instances must carry; `undefined`: the host of the endpoint. */
  readonly serverName: string | undefined;
}

/**
 * The identity of the option `tls`, which never changes.
 * @throws TypeError when `ca`, `cert` and `key` are not PEM that belongs together.
 */
export function staticIdentity(tls: TlsOptions = {}): ClientIdentity {
  const secureContext = secureContextOf(tls);
  return { version: 1, secureContext: () => secureContext, serverName: tls.serverName };
}
