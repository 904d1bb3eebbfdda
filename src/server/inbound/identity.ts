import type { TLSSocket } from "node:tls";

/** The URIs among alternative names as Node.js writes them: one with a comma or a control character is a string of JSON. */
const uriName = /(?:^|, )URI:("(?:[^"\\]|\\.)*"|[^,]*)/g;
const maxLength = 512;

/**
 * The identity in the client certificate of a connection, where the server has verified it: the only URI among its alternative names (of which
 * a SPIFFE certificate has exactly one), else its subject. `undefined` without a certificate, and for one that no authority of the server has signed.
 */
export function identityOf(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const uris = [...(certificate.subjectAltName ?? "").matchAll(uriName)].map(([, uri = ""]) => uri);
  const [uri = ""] = uris;
  const name = uris.length === 1 && uri !== "" && !uri.startsWith('"') ? uri : certificate.subject?.replaceAll("\n", ",");
  return name === undefined || name === "" || name.length > maxLength ? certificate.fingerprint256 : name;
}
