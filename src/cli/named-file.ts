import { readFileSafely } from "../files/read-file.ts";

const mebibyte = 1_048_576;

/**
 * Reads a file that the user of the command has named, of at most `maxBytes`. It may be a pipe (`--token-file <(vault read …)`); what never ends, such as
 * `/dev/zero`, is refused once it has sent more than that.
 */
export function readNamedFile(path: string, maxBytes = mebibyte): Promise<Buffer> {
  return readFileSafely(path, { maxBytes, regularOnly: false });
}
