import { checkClientTls } from "../../../core/settings/client-tls.ts";

/** TLS to a Consul agent: its certificate authorities, and the client's own certificate. */
export interface ConsulTls {
  /** PEM of the authorities that may have signed the agent's certificate; absent: those that Node trusts. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** PEM of this client's certificate, for agents with `verify_incoming`. */
  readonly cert?: string | Uint8Array;
  /** PEM of its private key. */
  readonly key?: string | Uint8Array;
  /** The passphrase of an encrypted key. */
  readonly passphrase?: string;
  /** The name to expect in the agent's certificate when it is not the URL's host. */
  readonly serverName?: string;
}

/** Checks the option. Throws a `TypeError` that shows none of its values. */
export function checkedTls(tls: ConsulTls | undefined, url: string): ConsulTls | undefined {
  if (tls === undefined) return undefined;
  checkClientTls("consul", tls);
  if (!url.startsWith("https:")) throw new TypeError(`consul: tls needs an https url, not ${url}`);
  if ((tls.cert === undefined) !== (tls.key === undefined)) throw new TypeError("consul: tls.cert and tls.key need each other");
  return { ...tls };
}
