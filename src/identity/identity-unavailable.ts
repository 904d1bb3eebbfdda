import { cleanText } from "../core/text/clean-text.ts";

/**
 * The error of a connection that this process may not make for want of an identity: none has come yet, it has expired, or was withdrawn. No instance has a
 * part in it.
 */
export class IdentityUnavailable extends Error {
  readonly code = "ERR_MESH_IDENTITY";

  constructor(message: string, cause?: unknown) {
    super(cleanText(message), cause === undefined ? undefined : { cause });
  }
}
