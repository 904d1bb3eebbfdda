import { checkKeys, checkObject } from "./checks.ts";
import { refusePath } from "./pem.ts";

/** TLS of a client of a registry, as its options have it. */
export interface ClientTls {
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  readonly passphrase?: string;
  readonly serverName?: string;
}

const names: readonly (keyof ClientTls)[] = ["ca", "cert", "key", "passphrase", "serverName"];

/** Checks the option `tls` of `owner`. Throws a `TypeError` that shows none of its values. */
export function checkClientTls(owner: string, tls: ClientTls): void {
  checkObject(`${owner}: tls`, tls);
  checkKeys(`${owner}: tls`, tls, names);
  for (const name of ["ca", "cert", "key"] as const) refusePath(`${owner}: tls.${name}`, tls[name]);
}

/** The option as Node.js has it. Each certificate is verified, whatever NODE_TLS_REJECT_UNAUTHORIZED says. */
export function nodeTls({ serverName, ...tls }: ClientTls = {}): Record<string, unknown> {
  return { ...tls, rejectUnauthorized: true, ...(serverName !== undefined && { servername: serverName }) };
}
