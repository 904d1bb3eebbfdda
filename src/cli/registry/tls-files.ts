import { readNamedFile } from "../named-file.ts";

/** PEM of a TLS client, and the expected name of the server. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string | undefined;
}

/** Reads the given files. Rejects with an Error that names the file and does not quote it. */
export async function readTls(paths: {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}): Promise<{ readonly ca?: string; readonly cert?: string; readonly key?: string }> {
  const found: { ca?: string; cert?: string; key?: string } = {};
  for (const name of ["ca", "cert", "key"] as const) {
    const path = paths[name];
    if (path) found[name] = (await readNamedFile(path)).toString("utf8");
  }
  return found;
}
