import { checkKeys, checkObject } from "../../../core/settings/checks.ts";
import { refusePath } from "../../../core/settings/pem.ts";

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

const known: readonly (keyof ConsulTls)[] = ["ca", "cert", "key", "passphrase", "serverName"];

/** Checks the option. Throws a `TypeError` that shows none of its values. */
export function checkedTls(tls: ConsulTls | undefined, url: string): ConsulTls | undefined {
  if (tls === undefined) return undefined;
  checkObject("consul: tls", tls);
  checkKeys("consul: tls", tls, known);
  if (!url.startsWith("https:")) throw new TypeError(`consul: tls needs an https url, not ${url}`);
  if ((tls.cert === undefined) !== (tls.key === undefined)) throw new TypeError("consul: tls.cert and tls.key need each other");
  for (const name of ["ca", "cert", "key"] as const) refusePath(`consul: tls.${name}`, tls[name]);
  return { ...tls };
}
